"""A directed graph drawn in lanes beside its rows, as `git log --graph` does, from causes down to effects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NODE = "●"
ENTRY = "○"
"""A node that no drawn edge leads to: what stands above it in its lane is not its cause."""
_JOIN = ("┴", "┘")
_FORK = ("┬", "┐")


@dataclass(frozen=True, slots=True)
class Row:
    """How one node is drawn: lines above it (rarely any), its own line, and the one to continue it with."""

    node: str
    line: str
    fork: str | None
    """A line of its own below the node, where it both joins lanes and forks into new ones."""
    below: str


def draw(nodes: Sequence[str], edges: Iterable[tuple[str, str]], most: int = 20) -> list[Row] | None:
    """Draw the nodes in this order, one lane for each edge that is under way.

    The first edge of a node goes straight down, the others open lanes to the right, in the order given. Edges that
    do not lead to a later node (clock skew, cycles) are not drawn. None where it takes more than `most` lanes.
    """
    order = {node: position for position, node in enumerate(nodes)}
    effects: dict[str, list[str]] = defaultdict(list)
    for cause, effect in dict.fromkeys(edges):
        if cause in order and effect in order and order[cause] < order[effect]:
            effects[cause].append(effect)
    lanes: list[str | None] = []
    rows = []
    for node in nodes:
        if len(lanes) + len(effects[node]) > most:
            return None
        rows.append(_row(node, effects[node], lanes))
    return rows


def _row(node: str, effects: Sequence[str], lanes: list[str | None]) -> Row:
    """Draw a node and move the lanes on past it."""
    arriving = [lane for lane, waiting_for in enumerate(lanes) if waiting_for == node]
    own = arriving[0] if arriving else _free(lanes, 0)
    mark = NODE if arriving else ENTRY
    before = list(lanes)
    for lane in arriving:
        lanes[lane] = None
    lanes[own] = node  # held while the others look for their lanes
    opened = []
    for effect in effects[1:]:
        lane = _free(lanes, own + 1)
        lanes[lane] = effect
        opened.append(lane)
    lanes[own] = effects[0] if effects else None
    joined = arriving[1:]
    if joined and opened:
        between = [None if lane in joined else waiting for lane, waiting in enumerate(before)]
        line = _line(before, own, mark, joined, _JOIN)
        fork = _line(between, own, "├", opened, _FORK)
    else:
        line = _line(before, own, mark, joined or opened, _JOIN if joined else _FORK)
        fork = None
    while lanes and lanes[-1] is None:
        lanes.pop()
    return Row(node, line, fork, _line(lanes, None, "", (), (" ", " ")))


def _free(lanes: list[str | None], start: int) -> int:
    for lane in range(start, len(lanes)):
        if lanes[lane] is None:
            return lane
    lanes.append(None)
    return len(lanes) - 1


def _line(lanes: Sequence[str | None], own: int | None, mark: str, ends: Sequence[int], shapes: tuple[str, str]) -> str:
    """One line: the node's mark, an arm to the right that reaches `ends`, every other lane running through."""
    middle, last = shapes
    reach = max(ends, default=-1)
    cells = []
    for lane in range(max(len(lanes), reach + 1, (own or 0) + 1)):
        runs = lane < len(lanes) and lanes[lane] is not None
        inside = own is not None and own < lane <= reach
        if lane == own:
            cell = mark
        elif lane in ends:
            cell = last if lane == reach else middle
        elif inside:
            cell = "┼" if runs else "─"
        else:
            cell = "│" if runs else " "
        arm = own is not None and own <= lane < reach
        cells.append(cell + ("─" if arm else " "))
    return "".join(cells).rstrip()
