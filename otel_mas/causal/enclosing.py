"""Spans that ran in a span beside them, which was not made current and so has nothing inside.

OpenLLMetry writes `invoke_agent writer` for a graph called writer, and the graph's own span not into it but beside it,
where the graph is a node or is called by a tool. Both last as long: left as they are, the empty one would hold the
critical path, and nothing inside of the graph would be on it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from otel_mas.model import SpanTable
from otel_mas.semconv import Operation

_INVOKES: Final = f"{Operation.INVOKE_AGENT} "
_NO_PARENT: Final = -1


def put_inside(spans: SpanTable, parent: array[int], end: Sequence[int]) -> list[int]:
    """Make empty spans the parents of what they invoke, in place.

    A span is taken to be invoked by the empty one beside it that names it, if it starts and ends within. Linear in the
    spans of other instrumentation, but for sorting.

    Returns:
        The numbers of the spans that were moved.
    """
    empty = [i for i in spans.foreign() if spans.names[i].startswith(_INVOKES) and parent[i] != _NO_PARENT]
    if not empty:
        return []
    busy = set(parent)
    empty = [i for i in empty if i not in busy]
    places = {(parent[i], spans.names[i].removeprefix(_INVOKES)) for i in empty}
    around = {above for above, _ in places}
    siblings: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for i, above in enumerate(parent):
        if above in around and (above, name := _invoked(spans.names[i])) in places:
            siblings[above, name].append(i)
    moved = []
    for i in empty:
        candidates = siblings[parent[i], spans.names[i].removeprefix(_INVOKES)]
        at = bisect_left(candidates, i)  # in start order, as all spans are
        if at < len(candidates) and end[candidates[at]] <= end[i]:
            moved.append(candidates.pop(at))
            parent[moved[-1]] = i
    return moved


def _invoked(name: str) -> str:
    """The name of the graph that a span is of: `execute_task writer`, `writer.workflow`."""
    if name.startswith(_INVOKES):
        return ""
    return name.removesuffix(".workflow") if name.endswith(".workflow") else name.partition(" ")[2] or name
