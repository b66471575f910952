"""Timelines of stages: the steps of a graph, and the stages that the app marked (`otel_mas.stage`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from otel_mas.causal import CausalGraph
from otel_mas.causal.failed import failed
from otel_mas.model import Event, Span
from otel_mas.semconv import RecordKind, TaskOutcome
from otel_mas.semconv import attributes as names

STEP, MARK = "step", "mark"
_EVENT = "mas.stage"
_WITHOUT_CODE = (RecordKind.LLM_CALL, RecordKind.ROUTING_DECISION, RecordKind.EVALUATION, RecordKind.HUMAN_INPUT)
"""Spans in which no code of the app runs that could mark a stage: their bodies need not be decoded."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of a run. Times in ns since the epoch."""

    source: str
    """`step`: the tasks that ran in one step of the outermost graph, or one task of an app without steps; `mark`: from
    one `otel_mas.stage` of a span to the next one with another name, or to the span's end."""
    name: str
    """The tasks of a step; the name that was marked."""
    step: int | None
    """LangGraph's number of the step."""
    start_ns: int
    end_ns: int
    status: str | None
    """Outcome of a step: error, interrupted or ok; or the status that a mark was given last."""
    tasks: int
    span_id: str
    """The first task of the step; the span that is marked."""
    trace_id: str

    @property
    def duration_ns(self) -> int:
        return max(0, self.end_ns - self.start_ns)


def stages(graph: CausalGraph) -> tuple[Stage, ...]:
    """The stages of a run, in start order. Decodes bodies, since marks are events."""
    ends = dict(zip((span.span_id for span in graph.spans), graph.ends, strict=True))
    found = [*_steps(graph, ends), *_marks(graph.spans, ends)]
    return tuple(sorted(found, key=lambda stage: (stage.start_ns, stage.source, stage.span_id)))


def _steps(graph: CausalGraph, ends: dict[str, int]) -> Iterator[Stage]:
    labels = graph.labels()
    tasks = [span for span in graph.spans if "/" not in labels.get(span.span_id, "/")]

    def step_of(span: Span) -> tuple[str, str, int, str]:
        step = span.columns.get(names.MAS_TASK_STEP)
        if isinstance(step, int):
            return span.trace_id, span.parent_span_id or "", step, ""
        return span.trace_id, span.parent_span_id or "", -1, span.span_id

    for (_, _, step, _), group in groupby(sorted(tasks, key=step_of), key=step_of):
        members = sorted(group, key=lambda span: span.start_ns)
        counted = Counter(span.task_name or span.name for span in members)
        yield Stage(
            source=STEP,
            name=", ".join(name if times == 1 else f"{name} ×{times}" for name, times in counted.items()),
            step=None if step < 0 else step,
            start_ns=members[0].start_ns,
            end_ns=max(ends[span.span_id] for span in members),
            status=_status(members),
            tasks=len(members),
            span_id=members[0].span_id,
            trace_id=members[0].trace_id,
        )


def _status(members: Sequence[Span]) -> str:
    if any(map(failed, members)):
        return TaskOutcome.ERROR.value
    paused = any(span.columns.get(names.MAS_TASK_OUTCOME) == TaskOutcome.INTERRUPTED for span in members)
    return (TaskOutcome.INTERRUPTED if paused else TaskOutcome.OK).value


def _marks(spans: Sequence[Span], ends: dict[str, int]) -> Iterator[Stage]:
    for span in spans:
        if span.record_kind in _WITHOUT_CODE:
            continue
        marks = [event for event in span.events if event.name == _EVENT]
        marks.sort(key=lambda event: event.time_ns)
        groups = [(name, list(group)) for name, group in groupby(marks, key=_name)]
        for place, (name, group) in enumerate(groups):
            following = groups[place + 1][1][0].time_ns if place + 1 < len(groups) else ends[span.span_id]
            statuses = [one.attributes.get(names.MAS_STAGE_STATUS) for one in group]
            last = next((status for status in reversed(statuses) if status is not None), None)
            yield Stage(
                source=MARK,
                name=name,
                step=None,
                start_ns=group[0].time_ns,
                end_ns=max(following, group[0].time_ns),
                status=None if last is None else str(last),
                tasks=0,
                span_id=span.span_id,
                trace_id=span.trace_id,
            )


def _name(event: Event) -> str:
    return str(event.attributes.get(names.MAS_STAGE_NAME, ""))


__all__ = ["MARK", "STEP", "Stage", "stages"]
