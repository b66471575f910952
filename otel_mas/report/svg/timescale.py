"""Time on a horizontal axis, with long idle stretches drawn short."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_MS = 10**6
_S = 10**9
_STEPS_NS = (
    *(size * 10**power for power in range(3, 9) for size in (1, 2, 5)),
    *(size * _S for size in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400)),
)
_WIDEST_GAP = 92.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time and of the axis. `idle`: nothing ran; `shrunk`: drawn shorter than the rest."""

    start_ns: int
    end_ns: int
    left: float
    right: float
    idle: bool = False
    shrunk: bool = False


class TimeScale:
    """Maps time to a horizontal position; one scale for whatever is not shrunk."""

    def __init__(self, busy: Sequence[tuple[int, int]], left: float, right: float) -> None:
        """`busy`: when something ran, as (start, end) in ns; between `left` and `right` it is drawn."""
        merged = list(_merged(busy))
        gaps = [(one[1], other[0]) for one, other in pairwise(merged)]
        active = sum(end - start for start, end in merged)
        room = right - left
        # No more than a third of the picture for what is idle.
        each = min(_WIDEST_GAP, room / 3 / len(gaps)) if gaps else 0.0
        self.per_ns = _per_ns(room, active, [end - start for start, end in gaps], each)
        self.pieces = tuple(self._pieces(merged, each, left))
        self._starts = [piece.start_ns for piece in self.pieces]

    def _pieces(self, merged: Sequence[tuple[int, int]], each: float, left: float) -> Iterator[Piece]:
        before = merged[0][0]
        for start, end in merged:
            if start > before:
                full = (start - before) * self.per_ns
                right = left + min(full, each)
                yield Piece(before, start, left, right, idle=True, shrunk=full > each)
                left = right
            right = left + (end - start) * self.per_ns
            yield Piece(start, end, left, right)
            left, before = right, end

    @property
    def start_ns(self) -> int:
        return self.pieces[0].start_ns

    @property
    def idle(self) -> list[Piece]:
        return [piece for piece in self.pieces if piece.idle]

    def at(self, ns: int) -> float:
        """The position of an instant; what lies outside is put to the nearer end."""
        piece = self.pieces[max(0, bisect_right(self._starts, ns) - 1)]
        if ns <= piece.start_ns:
            return piece.left
        if ns >= piece.end_ns:
            return piece.right
        return piece.left + (piece.right - piece.left) * (ns - piece.start_ns) / (piece.end_ns - piece.start_ns)

    def ticks(self, apart: float) -> list[int]:
        """Round times since the start, at least so far from each other and from what is shrunk; the start is one."""
        step = next((step for step in _STEPS_NS if step * self.per_ns >= apart), _STEPS_NS[-1])
        while step * self.per_ns < apart and self.per_ns > 0:
            step *= 2
        found: list[int] = [self.start_ns]
        last = self.pieces[0].left
        for piece in self.pieces:
            if piece.shrunk:
                last = piece.right
                continue
            first = -(-(piece.start_ns - self.start_ns) // step)
            for tick in range(first, (piece.end_ns - self.start_ns) // step + 1):
                here = self.at(self.start_ns + tick * step)
                clear = not found or here - last >= apart * 0.8
                if clear and not self._near_a_gap(here, apart / 2):
                    found.append(self.start_ns + tick * step)
                    last = here
        return found

    def _near_a_gap(self, position: float, distance: float) -> bool:
        return any(piece.left - distance < position < piece.right + distance for piece in self.pieces if piece.shrunk)


def _merged(busy: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The union of the stretches. Unlike `intervals.union` it keeps instants, which have a place on the axis."""
    known: tuple[int, int] | None = None
    for start, end in sorted(busy):
        if known is None or start > known[1]:
            if known is not None:
                yield known
            known = (start, end)
        else:
            known = (known[0], max(known[1], end))
    if known is not None:
        yield known


def _per_ns(room: float, active: int, gaps: Sequence[int], each: float) -> float:
    """The scale at which what is active, and the gaps that are short at that scale, fill the room exactly."""
    waiting = sorted(gaps)
    full, shrunk = active, len(waiting)
    while True:
        scale = (room - shrunk * each) / full if full > 0 else 0.0
        if not waiting or waiting[0] * scale >= each:
            return scale
        full += waiting.pop(0)
        shrunk -= 1


__all__ = ["Piece", "TimeScale"]
