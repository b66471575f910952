"""Ancestry: which spans a span follows from, and which ones are around it, as sets of bits.

Two operations on long numbers answer what a walk over all ancestors would: in a run that is nested a thousand deep,
with questions about each of its tasks, walks took seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from otel_mas.causal.forest import ROOT, Forest
from otel_mas.causal.links import Links


class Ancestry:
    """Ancestors of spans, each worked out when it is asked for, all ids those of spans (KeyError).

    A span follows from its causes and from what is around it, and from all that these follow from; where spans follow
    from each other in a circle, only a part of these may be seen.
    """

    def __init__(self, forest: Forest, links: Links) -> None:
        self._forest, self._links = forest, links
        self._bits: dict[int, int] = {}
        """By number of a span: its bit, once it is an ancestor of any."""
        self._before: dict[int, int] = {}
        self._around: dict[int, int] = {}

    def follows(self, effect: str, cause: str) -> bool:
        """Whether a span follows from another one, directly or not."""
        numbers = self._forest.spans.numbers
        return bool(self._all_before(numbers[effect]) & self._bit(numbers[cause]))

    def caused_by(self, effect: str, cause: str) -> bool:
        """Whether a span follows from another one, or from one around that, what is around itself left aside."""
        numbers = self._forest.spans.numbers
        one, other = numbers[effect], numbers[cause]
        inside = self._bit(other) | self._all_around(other)
        return bool(self._all_before(one) & inside & ~self._all_around(one))

    def _all_before(self, span: int) -> int:
        return self._closed(span, self._before, self._causes)

    def _all_around(self, span: int) -> int:
        return self._closed(span, self._around, self._parent)

    def _parent(self, span: int) -> Iterator[int]:
        above = self._forest.parent[span]
        if above != ROOT:
            yield above

    def _causes(self, span: int) -> Iterator[int]:
        yield from self._parent(span)
        for number in self._links.into(span):
            if self._links.cause[number] >= 0:  # else it is external
                yield self._links.cause[number]

    def _closed(self, span: int, known: dict[int, int], direct: Callable[[int], Iterator[int]]) -> int:
        """The bits of all that is reached from a span, with those of each span on the way kept."""
        waiting, begun = [span], set[int]()
        while waiting:
            at = waiting[-1]
            unknown = [one for one in direct(at) if one not in known and one not in begun] if at not in known else ()
            if unknown:
                begun.add(at)
                waiting += unknown
                continue
            waiting.pop()
            if at not in known:
                begun.add(at)
                found = 0
                for one in direct(at):
                    found |= self._bit(one) | known.get(one, 0)
                known[at] = found & ~self._bit(at)
        return known[span]

    def _bit(self, span: int) -> int:
        return 1 << self._bits.setdefault(span, len(self._bits))


__all__ = ["Ancestry"]
