"""Values that are others in the prompt of a later task than they were written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose, log10

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.findings.named_values import NamedValue, named_values, read_by_name
from otel_mas.analyse.root_cause.arrivals import OPPOSITE
from otel_mas.analyse.root_cause.known_texts import COUNT, KnownTexts, is_none
from otel_mas.model import Span
from otel_mas.semconv import RecordKind

_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_ROUNDED = 0.01
_MOST = 20
"""Values that are followed up at most."""


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """A value that a task read under a name, and what was written under it last."""

    name: str
    reader: Span
    read: str
    written: NamedValue


def changed_values(facts: RunFacts) -> Iterator[ChangedValue]:
    """Values that nobody had written, in the place of others.

    Numbers that are computed or rounded, that the reader's own tools brought, or that only count are none.
    """
    read = read_by_name(facts)
    if not any(_has_number(value) or value in OPPOSITE for _, pairs in read for _, value in pairs):
        return
    written = named_values(facts)
    first: dict[tuple[str, str], int] = {}
    for name, values_of_name in written.items():
        for one in values_of_name:
            first.setdefault((name, one.value), one.task.last_ns)
    followed = 0
    for reader, pairs in read:
        values = {value for _, value in pairs}
        for name, value in dict.fromkeys(pairs):
            last = _last(written.get(name, ()), reader)
            if last is None or last.value in values or facts.who(last.task) == facts.who(reader):
                continue
            is_known = first.get((name, value), reader.start_ns + 1) <= reader.start_ns
            if is_known or followed > _MOST or not _differ(value, last.value):
                continue
            followed += 1
            if not _is_explained(facts, reader, value) and (value not in OPPOSITE or _caused(facts, last.task, reader)):
                yield ChangedValue(name, reader, value, last)


def _last(values: Sequence[NamedValue], reader: Span) -> NamedValue | None:
    """The last of the values, which are in the order of their ends, that a task could have read."""
    ended = bisect_right(values, reader.start_ns, key=lambda one: one.task.last_ns)
    return next((values[at] for at in range(ended - 1, -1, -1) if values[at].is_for(reader)), None)


def _differ(read: str, written: str) -> bool:
    """Whether one cannot be the other in other words: the same text with other numbers, or the opposite."""
    if is_none(read) or is_none(written):
        return False
    if OPPOSITE.get(read) == written:
        return True
    if _DATE.fullmatch(read) and _DATE.fullmatch(written):
        return read != written
    if not _has_number(read) or _NUMBER.sub("#", read) != _NUMBER.sub("#", written):
        return False
    return any(
        one != other and not _may_be_the_same(one, other)
        for one, other in zip(_numbers(read), _numbers(written), strict=True)
    )


def _may_be_the_same(one: float, other: float) -> bool:
    """Whether a number may be the other one rounded, in per cent, in thousands, or counted on."""
    if one == 0 or other == 0 or one * other < 0:
        return False
    if max(one, other) < COUNT and one.is_integer() and other.is_integer():
        return True
    power = log10(one / other)
    scaled = isclose(power, round(power), abs_tol=1e-9) and round(power) not in (-1, 0, 1)
    return scaled or isclose(one, other, rel_tol=_ROUNDED)


def _caused(facts: RunFacts, writer: Span, reader: Span) -> bool:
    """Whether a task led to another one directly: of others that say the opposite, each may have its own opinion."""
    return any(edge.cause == writer.span_id for edge in facts.graph.causes_of(reader.span_id))


def _is_explained(facts: RunFacts, reader: Span, value: str) -> bool:
    """Whether the numbers of a value follow from what was written before, or from what the reader's tools brought."""
    if not _has_number(value):
        return False
    known = KnownTexts()
    for task in facts.tasks:
        if task.last_ns <= reader.start_ns:
            for text in facts.outputs(task):
                known.add(text)
    for root in facts.graph.roots:
        for text in (*facts.outputs(root), *(facts.text(digest) or "" for digest in facts.read(root))):
            known.add(text)
    for call in facts.graph.children_of(reader.span_id):
        if call.record_kind in (RecordKind.TOOL_CALL, RecordKind.RETRIEVAL):
            result = facts.result(call)
            if result is None:
                return True
            known.add(result)
    return not known.unexplained(value)


def _has_number(value: str) -> bool:
    return any(map(str.isdigit, value))


def _numbers(value: str) -> Sequence[float]:
    return [float(number.replace(",", "")) for number in _NUMBER.findall(value)]


__all__ = ["ChangedValue", "changed_values"]
