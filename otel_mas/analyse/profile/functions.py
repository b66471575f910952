"""Calls of functions marked with `otel_mas.profiled`, from the spans that they ran in."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.profile.answer import FunctionRow
from otel_mas.analyse.profile.timing import Timing
from otel_mas.model import Span
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_Place = tuple[str, str | None, str | None]
_NUMBERS = 6
_WITHOUT = (None, RecordKind.LLM_CALL, RecordKind.ROUTING_DECISION)
"""Kinds of spans in which no function of the app's runs; their bodies need not be read."""


class Functions:
    """Functions by name, agent and node, to which graphs are added."""

    def __init__(self) -> None:
        self._found: dict[_Place, list[int]] = {}

    def add(self, timing: Timing) -> None:
        """Add one graph."""
        for i, span in enumerate(timing.spans):
            if span.record_kind in _WITHOUT:
                continue
            for name, numbers in _recorded(span):
                place = name, timing.agent(i), timing.node(i)
                known = self._found.setdefault(place, [0] * _NUMBERS)
                longest = max(known[-1], numbers[-1])
                known[:] = [one + other for one, other in zip(known, numbers, strict=True)]
                known[-1] = longest

    def rows(self) -> tuple[FunctionRow, ...]:
        """The most self time first."""
        found = [FunctionRow(*place, *numbers) for place, numbers in self._found.items()]
        return tuple(sorted(found, key=lambda row: (-row.self_ns, -row.total_ns, row.name)))


def _recorded(span: Span) -> Iterator[tuple[str, list[int]]]:
    """Name and numbers of the functions in `mas.functions`; what does not look like one is passed over."""
    recorded = span.get(names.MAS_FUNCTIONS)
    for entry in recorded if isinstance(recorded, list | tuple) else ():
        name, *numbers = str(entry).rsplit("|", _NUMBERS)
        if len(numbers) == _NUMBERS and all(number.isascii() and number.isdigit() for number in numbers):
            yield name, [int(number) for number in numbers]


__all__ = ["Functions"]
