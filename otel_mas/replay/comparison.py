"""A recorded run and its replay with changes, side by side: calls and tasks, causes, output, cost and findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.cost import CostRow, cost
from otel_mas.analyse.state.values import StateValues, value_text
from otel_mas.model import Finding, Span
from otel_mas.model.message_text import written
from otel_mas.replay.changes import Change
from otel_mas.replay.exceptions import recorded_exception
from otel_mas.replay.recording import CallKind, RecordedCall, Recording
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import ReplayOutcome


class Sameness(StrEnum):
    """How one call or task of the replay compares with the recorded one."""

    SAME = "same"
    CHANGED = "changed"
    """Both have it, with other outputs."""
    GONE = "gone"
    """Only the recording has it."""
    NEW = "new"
    """Only the replay has it."""


@dataclass(frozen=True, slots=True)
class RunSide:
    """One of the two runs.

    Args:
        recording: its calls and causes.
        contents: content by the id of the trace.
        findings: about it.
        output: text of what its caller got; None where that is nothing, or was not kept.
        outcome: error, cancelled or abandoned; None of a run that ended well.
    """

    recording: Recording
    contents: Mapping[str, RunContent]
    findings: Sequence[Finding]
    output: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ComparedStep:
    """A call or task in both runs; `before` and `after` are its outputs as text, None where it has none.

    `how` is `mas.replay.outcome` of a call of the replay: answered, changed, stubbed, live, ...
    """

    label: str
    sameness: Sameness
    before: str | None
    after: str | None
    how: str | None = None
    span_before: Span | None = None
    span_after: Span | None = None


@dataclass(frozen=True, slots=True)
class ReplayComparison:
    """A recorded run beside its replay."""

    changes: tuple[Change, ...]
    steps: tuple[ComparedStep, ...]
    """Calls and tasks in order of their start, those of the replay first where only one has them."""
    causes_gone: tuple[tuple[str, str], ...]
    """Causes and effects, by labels of tasks, that only the recording has."""
    causes_new: tuple[tuple[str, str], ...]
    output_before: str | None
    output_after: str | None
    outcome_before: str | None
    """error, cancelled or abandoned; None of a run that ended well."""
    outcome_after: str | None
    cost_before: CostRow
    cost_after: CostRow
    """Cost of all calls of models in the replay, as if each had been made: see `paid` for what was."""
    paid: CostRow
    """Cost of the calls that were really made."""
    findings_gone: tuple[Finding, ...]
    """Findings about the recording that the replay does not have: of the same kind, about the same subject."""
    findings_new: tuple[Finding, ...]

    @property
    def differing(self) -> tuple[ComparedStep, ...]:
        """Calls and tasks that are not the same."""
        return tuple(step for step in self.steps if step.sameness is not Sameness.SAME)

    @property
    def first_difference(self) -> ComparedStep | None:
        """The first call or task that is not the same; None where all are."""
        return next(iter(self.differing), None)


def compare_runs(before: RunSide, after: RunSide, changes: Sequence[Change]) -> ReplayComparison:
    """Compare a recorded run with its replay."""
    old, new = _causes(before.recording), _causes(after.recording)
    known = {(one.code, one.subject) for one in before.findings}
    now = {(one.code, one.subject) for one in after.findings}
    live = [span for span in after.recording.spans if span.get(names.MAS_REPLAY_OUTCOME) == "live"]
    return ReplayComparison(
        tuple(changes),
        tuple(_steps(before, after)),
        tuple(sorted(old - new)),
        tuple(sorted(new - old)),
        before.output,
        after.output,
        before.outcome,
        after.outcome,
        cost(before.recording.spans).total,
        cost(after.recording.spans).total,
        cost(live).total,
        tuple(one for one in before.findings if (one.code, one.subject) not in now),
        tuple(one for one in after.findings if (one.code, one.subject) not in known),
    )


@dataclass(frozen=True, slots=True)
class _Step:
    start_ns: int
    text: str | None
    span: Span
    how: str | None = None


def _steps(before: RunSide, after: RunSide) -> Iterator[ComparedStep]:
    old, new = _by_label(before), _by_label(after)
    order = {label: (0, step.start_ns) for label, step in new.items()}
    previous = (0, 0)
    for label in sorted(old, key=lambda one: old[one].start_ns):
        # One that is gone stands after the one that it followed.
        order.setdefault(label, (previous[0], previous[1] + 1))
        previous = order[label]
    covered = _inside_answered(before.recording, new)
    for label in sorted(order, key=lambda one: order[one]):
        one, other = old.get(label), new.get(label)
        if other is None and label in covered:
            continue
        if other is None:
            if one is not None:
                yield ComparedStep(label, Sameness.GONE, one.text, None, span_before=one.span)
        elif one is None:
            yield ComparedStep(label, Sameness.NEW, None, other.text, other.how, span_after=other.span)
        else:
            sameness = Sameness.SAME if one.text == other.text else Sameness.CHANGED
            yield ComparedStep(label, sameness, one.text, other.text, other.how, one.span, other.span)


def _by_label(side: RunSide) -> dict[str, _Step]:
    found = {
        call.label: _Step(call.span.start_ns, call_text(call), call.span, _how(call.span))
        for call in side.recording.calls
    }
    for label, task in side.recording.tasks.items():
        last = task.spans[-1]
        found[label] = _Step(task.spans[0].start_ns, task_text(last, side.contents[last.trace_id]), last, _how(last))
    return found


def _inside_answered(recording: Recording, replayed: Mapping[str, _Step]) -> set[str]:
    """Labels of calls and tasks inside of calls that the replay answered: what is around them did not run."""
    spans = {call.label: call.span for call in recording.calls}
    spans |= {label: task.spans[0] for label, task in recording.tasks.items()}
    not_run = {
        call.span.span_id
        for call in recording.calls
        if (step := replayed.get(call.label)) is not None and step.how not in (None, ReplayOutcome.LIVE)
    }
    parents = {span.span_id: span.parent_span_id for span in recording.spans}
    found = set()
    for label, span in spans.items():
        around = parents.get(span.span_id)
        while around is not None and around not in not_run:
            around = parents.get(around)
        if around is not None:
            found.add(label)
    return found


def _how(span: Span) -> str | None:
    outcome = span.get(names.MAS_REPLAY_OUTCOME)
    return None if outcome is None else str(outcome)


def call_text(call: RecordedCall) -> str | None:
    """The output of a call as text; the exception that it ended with."""
    error = recorded_exception(call)
    if error is not None:
        return f"{type(error).__name__}: {error}"
    if call.kind is CallKind.MODEL:
        return "\n".join(written(message.body) for message in call.output if message.body is not None) or None
    name = names.GEN_AI_TOOL_CALL_RESULT if call.kind is CallKind.TOOL else names.GEN_AI_RETRIEVAL_DOCUMENTS
    value = call.contents.get(name)
    return None if value is None else value_text(value)


def task_text(span: Span, content: RunContent) -> str | None:
    """Text of what a task wrote and returned; None where it did neither, or that was not kept."""
    lines = [f"{one.channel}: {_text(one.value)}" for one in StateValues(content).written(span)]
    returned = content.get(span, names.MAS_TASK_RESULT)
    if returned is not None:
        lines.append(_text(returned))
    return "\n".join(lines) or None


def _text(value: Any) -> str:
    return "" if value is None else value_text(value)


def _causes(recording: Recording) -> set[tuple[str, str]]:
    labels = recording.graph.labels()
    pairs = ((labels.get(edge.cause), labels.get(edge.effect)) for edge in recording.graph.control_edges())
    return {(cause, effect) for cause, effect in pairs if cause is not None and effect is not None}


__all__ = ["ComparedStep", "ReplayComparison", "RunSide", "Sameness", "call_text", "compare_runs", "task_text"]
