"""A recorded run and its replay with changes, side by side: calls and tasks, causes, output, cost and findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from otel_mas.analyse import diff
from otel_mas.analyse.content import RunContent
from otel_mas.analyse.cost import CostRow, cost
from otel_mas.analyse.diff import RunDiff, RunSteps, StepPair, diff_runs
from otel_mas.model import Finding, Span
from otel_mas.replay.changes import Change
from otel_mas.replay.recording import Recording
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
        content: of all its traces.
        findings: about it.
        output: text of what its caller got; None where that is nothing, or was not kept.
        outcome: error, cancelled or abandoned; None of a run that ended well.
    """

    recording: Recording
    content: RunContent
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
    """Calls and tasks, each after what is around it, in the order of the replay."""
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
    runs = [RunSteps(side.recording.graph, side.content) for side in (before, after)]
    found = diff_runs(runs[0], runs[1])
    known = {(one.code, one.subject) for one in before.findings}
    now = {(one.code, one.subject) for one in after.findings}
    live = [span for span in after.recording.spans if span.get(names.MAS_REPLAY_OUTCOME) == "live"]
    return ReplayComparison(
        tuple(changes),
        tuple(_steps(found, before, after)),
        found.causes_gone,
        found.causes_new,
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


def _steps(found: RunDiff, before: RunSide, after: RunSide) -> Iterator[ComparedStep]:
    """Calls and tasks of both, without what is inside of calls that the replay answered: that did not run."""
    shown = [_shown(side.recording) for side in (before, after)]
    answered = -1  # depth of the answered call around
    for pair in found.steps:
        if answered >= 0 and pair.depth <= answered:
            answered = -1
        how = None if pair.b is None else _how(pair.b.span)
        if pair.b is None and answered >= 0:
            continue
        if any(one is not None and one.span.span_id in ids for one, ids in zip((pair.a, pair.b), shown, strict=True)):
            yield ComparedStep(pair.label, _sameness(pair), *found.answers(pair), how, *_spans(pair))
        if answered < 0 and pair.a is not None and how not in (None, ReplayOutcome.LIVE):
            answered = pair.depth


def _shown(recording: Recording) -> set[str]:
    tasks = (span.span_id for task in recording.tasks.values() for span in task.spans)
    return {*(call.span.span_id for call in recording.calls), *tasks}


def _sameness(pair: StepPair) -> Sameness:
    if pair.a is None:
        return Sameness.NEW
    if pair.b is None:
        return Sameness.GONE
    return Sameness.CHANGED if diff.Change.ANSWERED in pair.changes else Sameness.SAME


def _spans(pair: StepPair) -> tuple[Span | None, Span | None]:
    return None if pair.a is None else pair.a.span, None if pair.b is None else pair.b.span


def _how(span: Span) -> str | None:
    outcome = span.get(names.MAS_REPLAY_OUTCOME)
    return None if outcome is None else str(outcome)


__all__ = ["ComparedStep", "ReplayComparison", "RunSide", "Sameness", "compare_runs"]
