"""Verification of root causes: each candidate is mended in a replay, and the run ends well or it does not.

The mended output is the one that somebody gives, or that of the same call or task in a reference: a run of the app that
went well. Of candidates that mend the run the earliest is the root cause: what it wrote made the later ones go wrong
(the decisive error of AgenTracer, arXiv 2509.03312; intervention as in DoVer, arXiv 2512.06749).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.diff import answer_text, task_text
from otel_mas.analyse.root_cause import RootCause
from otel_mas.analyse.state.values import StateValues, is_message
from otel_mas.model import Span
from otel_mas.replay.answers import recorded_output
from otel_mas.replay.changes import Aspect, Change
from otel_mas.replay.comparison import RunSide
from otel_mas.replay.recording import RecordedCall, Recording
from otel_mas.semconv import attributes as names


class Verdict(StrEnum):
    """The verdict of a replay on a candidate."""

    CONFIRMED = "confirmed"
    """Mended, the run ends well."""
    NOT_CONFIRMED = "not confirmed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class VerifiedCause:
    """A candidate for the root cause, and the verdict on it."""

    cause: RootCause
    label: str
    """Label of the call or task."""
    verdict: Verdict
    reason: str
    """In words, without a period."""
    output: str | None = None
    """Text of the mended run's output; None where it had none, or was not tried."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A replay with changes.

    Args:
        output: text of what its caller got.
        outcome: error, cancelled or abandoned; None of a run that ended well.
        stopped: the cause where it could not be run to its end: a call that would have to be paid, or a miss.
    """

    output: str | None
    outcome: str | None
    stopped: str | None = None


def verify(
    run: RunSide,
    causes: Sequence[RootCause],
    *,
    reference: RunSide | None,
    mended: Mapping[str, Any],
    passes: Callable[[Tried], bool],
    attempt: Callable[[Sequence[Change]], Tried],
    candidates: int,
) -> tuple[VerifiedCause, ...]:
    """Try the first candidates.

    Args:
        run: the one that went wrong.
        causes: the most probable one first.
        reference: has mended outputs; None where only `mended` has.
        mended: outputs by labels of calls and tasks.
        passes: whether a mended run ended well.
        attempt: runs the app in a replay with these changes.
        candidates: the number of those that are tried at most.

    Returns:
        All causes: the confirmed ones first, the earliest of them before all others.
    """
    known: dict[str, VerifiedCause] = {}
    found: list[VerifiedCause] = []
    for number, cause in enumerate(causes):
        label = label_of(run.recording, cause.span)
        if number >= candidates:
            found.append(VerifiedCause(cause, label, Verdict.NOT_TRIED, f"only the first {candidates} are tried"))
            continue
        if label not in known:
            known[label] = _verified(run, cause, label, reference, mended, passes, attempt)
        found.append(replace(known[label], cause=cause))
    return _ranked(run.recording, found)


def _verified(
    run: RunSide,
    cause: RootCause,
    label: str,
    reference: RunSide | None,
    mended: Mapping[str, Any],
    passes: Callable[[Tried], bool],
    attempt: Callable[[Sequence[Change]], Tried],
) -> VerifiedCause:
    changes = _given(label, mended) or ([] if reference is None else _referenced(run, label, reference))
    if not changes:
        known = reference is not None and (label in reference.recording.tasks or _call(reference.recording, label))
        if known:
            reason = "it wrote what it wrote in the reference"
            return VerifiedCause(cause, label, Verdict.NOT_CONFIRMED, reason)
        where = "the reference has no" if reference is not None else "there is no"
        return VerifiedCause(cause, label, Verdict.NOT_TRIED, f"{where} mended output of {label or 'it'}")
    tried = attempt(changes)
    if tried.stopped is not None:
        return VerifiedCause(cause, label, Verdict.NOT_TRIED, tried.stopped)
    what = ", ".join(change.target for change in changes)
    if passes(tried):
        return VerifiedCause(cause, label, Verdict.CONFIRMED, f"with {what} mended the run ends well", tried.output)
    ended = f"it ends with {tried.outcome}" if tried.outcome is not None else "its output is still wrong"
    return VerifiedCause(cause, label, Verdict.NOT_CONFIRMED, f"with {what} mended {ended}", tried.output)


def _ranked(recording: Recording, found: Sequence[VerifiedCause]) -> tuple[VerifiedCause, ...]:
    starts = {span.span_id: span.start_ns for span in recording.spans}
    confirmed = [one for one in found if one.verdict is Verdict.CONFIRMED]
    confirmed.sort(key=lambda one: starts.get(one.cause.span, 0))
    return (*confirmed, *(one for one in found if one.verdict is not Verdict.CONFIRMED))


def label_of(recording: Recording, span_id: str) -> str:
    """The label of the call or task that a span is or lies in; empty where there is none."""
    by_id = {call.span.span_id: call.label for call in recording.calls}
    by_id |= {span.span_id: label for label, task in recording.tasks.items() for span in task.spans}
    spans = {span.span_id: span for span in recording.spans}
    around: str | None = span_id
    while around is not None and around in spans:
        if around in by_id:
            return by_id[around]
        around = spans[around].parent_span_id
    return ""


def _given(label: str, mended: Mapping[str, Any]) -> list[Change]:
    """The changes that somebody gives: of the call or task, or of calls in the task."""
    labels = [label] if label in mended else [one for one in mended if label and one.startswith(f"{label}/")]
    return [Change.of(one, {Aspect.OUTPUT.value: mended[one]}) for one in labels]


def _referenced(run: RunSide, label: str, reference: RunSide) -> list[Change]:
    """The changes that make a call, or those in a task, answer as in the reference; else what the task wrote there."""
    recording = run.recording
    calls = [call for call in recording.calls if call.label == label or call.label.startswith(f"{label}/")]
    changes = []
    for call in calls:
        other = _call(reference.recording, call.label)
        if other is not None and answer_text(other.span, reference.content) != answer_text(call.span, run.content):
            changes.append(Change.of(call.label, {Aspect.OUTPUT.value: recorded_output(other)}))
    if changes or label not in recording.tasks or label not in reference.recording.tasks:
        return changes
    last = recording.tasks[label].spans[-1], reference.recording.tasks[label].spans[-1]
    if task_text(last[0], run.content) == task_text(last[1], reference.content):
        return []
    # Own code of the task went wrong. Messages of its state are not made anew of their text.
    wrote = _written(reference.content, last[1])
    return [] if wrote is None else [Change.of(label, {Aspect.OUTPUT.value: wrote})]


def _call(recording: Recording, label: str) -> RecordedCall | None:
    return next((call for call in recording.calls if call.label == label), None)


def _written(content: RunContent, span: Span) -> Any:
    """The value that a task returned, or its changes of the state; None where they were not kept, or have messages."""
    returned = content.get(span, names.MAS_TASK_RESULT)
    if returned is not None:
        return returned
    found = list(StateValues(content).written(span))
    if not found or any(one.missing is not None or _has_message(one.value) for one in found):
        return None
    return {one.channel: one.value for one in found}


def _has_message(value: Any) -> bool:
    return any(map(is_message, value)) if isinstance(value, list) else is_message(value)


__all__ = ["Tried", "Verdict", "VerifiedCause", "label_of", "verify"]
