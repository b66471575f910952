"""A critical path as people read it: a line for each task, and what the whole is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from otel_mas.causal import CriticalPath, Step, StepKind
from otel_mas.model import Span, SpanKind
from otel_mas.report.task_labels import TaskLabels
from otel_mas.semconv.enums import RecordKind

# What takes less than this share of the time at work says nothing; such lines are summed up in one.
_SMALL = 0.005
_GROUPS: Mapping[str | None, str] = {
    RecordKind.LLM_CALL: "models",
    RecordKind.TOOL_CALL: "tools",
    RecordKind.RETRIEVAL: "retrieval",
}


@dataclass(frozen=True, slots=True)
class PathRow:
    """Steps in a row that are one line: all of one task, or a single one."""

    steps: tuple[Step, ...]
    task: Span | None
    worked_ns: int
    """Time at work on the path before it."""

    @property
    def took_ns(self) -> int:
        return sum(step.duration_ns for step in self.steps)

    @property
    def waits(self) -> bool:
        return self.steps[0].kind == StepKind.WAITING

    def spent(self, labels: TaskLabels) -> list[tuple[str, int]]:
        """On which spans inside the task at least a tenth of it went, with ns; the longest first, three at most."""
        spent: Counter[str] = Counter()
        for step in self.steps:
            if step.span is not None and step.span is not self.task and self.task is not None:
                spent[labels.label(step.span)] += step.duration_ns
        if len(self.steps) < 2:
            return []
        return [(name, took) for name, took in spent.most_common(3) if took * 10 > self.took_ns]


def path_rows(path: CriticalPath, labels: TaskLabels, every: bool = False) -> Iterator[PathRow]:
    """The path in lines; each step is one of its own if `every`."""
    run: list[Step] = []
    worked = 0
    for step in path:
        if run and (every or not _together(run[-1], step, labels)):
            yield (row := PathRow(tuple(run), _belongs(run[0], labels), worked))
            worked += 0 if row.waits else row.took_ns
            run = []
        run.append(step)
    if run:
        yield PathRow(tuple(run), _belongs(run[0], labels), worked)


def notable(found: Sequence[PathRow], active_ns: int, most: int | None) -> list[PathRow]:
    """Those that take a share worth a line, and all waits; at most so many, the longest."""
    small_ns = int(active_ns * _SMALL)
    long = [one for one in found if one.waits or one.took_ns > small_ns]
    if most is None or len(long) <= most:
        return long
    longest = sorted(range(len(long)), key=lambda i: (not long[i].waits, -long[i].took_ns))[:most]
    return [long[i] for i in sorted(longest)]


def made_of(path: CriticalPath) -> tuple[Counter[str], int]:
    """ns at work by what was done: models, tools, retrieval, own code, network, servers, requests to other services,
    other spans, framework, or held by tasks that the next one did not need; and ns waiting."""
    took: Counter[str] = Counter()
    answered = {step.span.parent_span_id for step in path if step.span and step.span.kind == SpanKind.SERVER}
    for step in path:
        took[_group(step, answered)] += step.duration_ns
    return took, took.pop(StepKind.WAITING, 0)


def _together(one: Step, following: Step, labels: TaskLabels) -> bool:
    task = _belongs(one, labels)
    return task is not None and task is _belongs(following, labels)


def _belongs(step: Step, labels: TaskLabels) -> Span | None:
    """The task that a step is the work of."""
    return labels.task(step.span) if step.kind == StepKind.SPAN and step.span is not None else None


def _group(step: Step, answered: Container[str | None]) -> str:
    if step.kind != StepKind.SPAN or step.span is None:
        return step.kind if step.held_by is None else "held by other tasks of a step"
    kind = step.span.record_kind
    if kind is not None:
        return _GROUPS.get(kind, "own code")
    if step.span.kind == SpanKind.CLIENT:
        return "network" if step.span.span_id in answered else "requests to other services"
    return "servers" if step.span.kind == SpanKind.SERVER else "other spans"
