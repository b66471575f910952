"""Values that are others in the prompt of a later task than they were written."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isclose, log10

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.findings.named_values import NamedValue, named_values, read_by_name, step_of
from otel_mas.analyse.findings.task_flow import TaskFlow
from otel_mas.analyse.root_cause.known_numbers import KnownNumbers
from otel_mas.analyse.root_cause.passages import is_none
from otel_mas.analyse.root_cause.values import COUNT, numbers_in
from otel_mas.model import Span
from otel_mas.model.opposites import OPPOSITE
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


def changed_values(facts: RunFacts) -> Sequence[ChangedValue]:
    """Values that nobody had written, in the place of others.

    Numbers that are computed or rounded, that the reader's own tools brought, or that only count are none.
    """
    return facts.once(_find)


def _find(facts: RunFacts) -> Sequence[ChangedValue]:
    return list(_changed_values(facts))


def _changed_values(facts: RunFacts) -> Iterator[ChangedValue]:
    read = read_by_name(facts)
    if not any(_has_number(value) or value in OPPOSITE for _, pairs in read for _, value in pairs):
        return
    written = named_values(facts)
    first: dict[tuple[str, str], int] = {}
    for name, values_of_name in written.items():
        for one in values_of_name:
            first.setdefault((name, one.value), one.task.last_ns)
    earlier = {name: _Earlier(values_of_name) for name, values_of_name in written.items()}
    followed = 0
    for reader, pairs in read:
        values = {value for _, value in pairs}
        named = {name: earlier[name].last(reader) for name in {name for name, _ in pairs} if name in earlier}
        others = {
            name: last
            for name, last in named.items()
            if last is not None and last.value not in values and facts.who(last.task) != facts.who(reader)
        }
        for name, value in dict.fromkeys(pairs) if others else ():
            last = others.get(name)
            if last is None:
                continue
            is_known = first.get((name, value), reader.start_ns + 1) <= reader.start_ns
            if is_known or followed > _MOST or not _differ(value, last.value):
                continue
            followed += 1
            if not _is_explained(facts, reader, value) and (
                value not in OPPOSITE or _caused(facts, last, name, reader)
            ):
                yield ChangedValue(name, reader, value, last)


class _Earlier:
    """Values of one name in the order of their ends; those that a step of many tasks wrote are passed over at once."""

    def __init__(self, values: Sequence[NamedValue]) -> None:
        self._values = values
        self._ends = [one.task.last_ns for one in values]
        self._steps = [step_of(one.task) for one in values]
        self._other = list(range(-1, len(values) - 1))
        """By value: the place of the last one before it that another step wrote."""
        for at in range(1, len(values)):
            if self._steps[at] == self._steps[at - 1]:
                self._other[at] = self._other[at - 1]

    def last(self, reader: Span) -> NamedValue | None:
        """The last that a task could have read."""
        at, step = bisect_right(self._ends, reader.start_ns) - 1, step_of(reader)
        while at >= 0:
            if self._steps[at] == step:
                at = self._other[at]
            elif self._values[at].is_for(reader):
                return self._values[at]
            else:
                at -= 1
        return None


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


def _caused(facts: RunFacts, written: NamedValue, name: str, reader: Span) -> bool:
    """Whether a task led to another one directly, or wrote a field of the state that no other one did.

    Of others that say the opposite, each may have its own opinion.
    """
    writer = written.task
    if any(edge.cause == writer.span_id for edge in facts.graph.causes_of(reader.span_id)):
        return True
    is_field = any(one.channel.replace("_", " ").lower() == name for one in facts.state_values(writer))
    others = {one.value for one in named_values(facts)[name] if one.task.last_ns <= reader.start_ns}
    return is_field and others == {written.value} and facts.once(TaskFlow).caused_by(reader, writer)


def _is_explained(facts: RunFacts, reader: Span, value: str) -> bool:
    """Whether the numbers of a value follow from what was written before, or from what the reader's tools brought."""
    if not _has_number(value):
        return False
    known = KnownNumbers()
    for end_ns, texts in facts.once(_numbers_of_tasks):
        if end_ns <= reader.start_ns:
            for text, numbers in texts:
                known.add(text, numbers)
    for root in facts.graph.roots:
        for text in (*facts.outputs(root), *(facts.text(digest) or "" for digest in facts.read(root))):
            known.add(text, numbers_in(text))
    for call in facts.graph.children_of(reader.span_id):
        if call.record_kind in (RecordKind.TOOL_CALL, RecordKind.RETRIEVAL):
            result = facts.result(call)
            if result is None:
                return True
            known.add(result, numbers_in(result))
    return not any(known.unexplained(numbers_in(value)))


def _numbers_of_tasks(facts: RunFacts) -> Sequence[tuple[int, Sequence[tuple[str, frozenset[str]]]]]:
    """By task its end, and the texts that it wrote with their numbers."""
    return [(task.last_ns, [(text, numbers_in(text)) for text in facts.outputs(task)]) for task in facts.tasks]


def _has_number(value: str) -> bool:
    return any(map(str.isdigit, value))


def _numbers(value: str) -> Sequence[float]:
    return [float(number.replace(",", "")) for number in _NUMBER.findall(value)]


__all__ = ["ChangedValue", "changed_values"]
