"""The order of a trace's spans: by start; of those that start together parents come first, then the smaller span id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from operator import lt

from otel_mas.model.span import Span


def in_start_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in start order."""
    given = tuple(spans)
    order = start_order(
        [span.start_ns for span in given], [span.span_id for span in given], [span.parent_span_id for span in given]
    )
    return tuple(given[number] for number in order)


def start_order(starts: Sequence[int], ids: Sequence[str], parents: Sequence[str | None]) -> Sequence[int]:
    """The numbers of spans in start order."""
    if all(map(lt, starts, islice(starts, 1, None))):
        return range(len(starts))
    order = sorted(range(len(starts)), key=starts.__getitem__)
    first = 0
    for place in range(1, len(order) + 1):
        if place == len(order) or starts[order[place]] != starts[order[first]]:
            if place - first > 1:
                order[first:place] = _parents_first(sorted(order[first:place], key=ids.__getitem__), ids, parents)
            first = place
    return order


def _parents_first(numbers: list[int], ids: Sequence[str], parents: Sequence[str | None]) -> list[int]:
    above = {ids[number]: parents[number] for number in numbers}
    depths: dict[str, int] = {}
    for number in numbers:
        path: list[str] = []
        at: str | None = ids[number]
        while at is not None and at in above and at not in depths:
            depths[at] = 0  # ends a cycle
            path.append(at)
            at = above[at]
        depth = -1 if at is None or at not in above else depths[at]
        for span_id in reversed(path):
            depths[span_id] = depth = depth + 1
    return sorted(numbers, key=lambda number: depths[ids[number]])  # stable: the span ids keep their order
