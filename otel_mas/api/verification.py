"""Root causes of a run, verified: the app runs again with each candidate mended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from otel_mas.analyse.root_cause import Complaint
from otel_mas.api.replay_comparison import side
from otel_mas.api.trace import Conversation, Trace
from otel_mas.api.trace_replay import handles, replay
from otel_mas.errors import ConfigError, ReplayMiss, ReplayStopped
from otel_mas.replay.changes import Change, unknown_label
from otel_mas.replay.counterfactual import checked_stub
from otel_mas.replay.policy import Policy
from otel_mas.replay.verification import Tried, Verdict, VerifiedCause, label_of, verify
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import ReplayOutcome

if TYPE_CHECKING:
    from otel_mas.replay.counterfactual import Stub


def verify_root_cause(
    trace: Trace | Conversation,
    app: Callable[[], object],
    *,
    reference: Trace | Conversation | None = None,
    mended: Mapping[str, Any] | None = None,
    expect: str | Callable[[str | None], bool] | None = None,
    candidates: int = 3,
    complaint: Complaint | str | None = None,
    stub: Stub = None,
    live: str | Iterable[str] = (),
) -> tuple[VerifiedCause, ...]:
    """Try the first candidates for the root cause of a run: each is mended in a replay, and the ranking is confirmed.

    Calls that depend on the mended output are answered by the reference if that has them, by the stub, or really.

    Args:
        trace: the run that went wrong.
        app: runs it again, with the same input.
        reference: a run of the app that went well: its calls and tasks have the mended outputs.
        mended: mended outputs by labels of calls and tasks (`researcher#1/model#2`); these come first.
        expect: a regular expression that the output of a run that went well has, or a function of that output; by
            default it is the output of the reference, else any without an error.
        candidates: the number of those that are tried at most, 1 or more.
        complaint: as of `trace.explain`.
        stub: as of `otel_mas.replay`.
        live: likewise.

    Returns:
        All candidates: the confirmed ones first, the earliest of them before the others; each with the reason.

    Raises:
        ConfigError: Neither a reference nor a mended output is given, or an argument is none of its values.
    """
    if not callable(app):
        raise ConfigError(f"app is {app!r}; it must be a function that runs the app")
    Policy.of(live, "error", False, False)
    checked_stub(stub)

    def attempt(changes: Sequence[Change]) -> Tried:
        replayed = replay(trace, stub=stub, live=live, reference=reference)
        for change in changes:
            replayed.session.change(change.target, **{change.aspect.value: change.value})
        error: BaseException | None = None
        try:
            with replayed:
                app()
        except (ReplayStopped, ReplayMiss) as stopped:
            return Tried(None, None, str(stopped))
        except Exception as raised:
            error = raised
        with replayed.recorded() as traces:
            last = side_output(traces)
        return Tried(last.output, "error", None) if error is not None else last

    return verified_by(
        trace,
        attempt,
        reference=reference,
        mended=mended,
        expect=expect,
        candidates=candidates,
        complaint=complaint,
    )


def verified_by(
    trace: Trace | Conversation,
    attempt: Callable[[Sequence[Change]], Tried],
    *,
    reference: Trace | Conversation | None,
    mended: Mapping[str, Any] | None,
    expect: str | Callable[[str | None], bool] | None,
    candidates: int,
    complaint: Complaint | str | None,
) -> tuple[VerifiedCause, ...]:
    """The same with a function that runs the app in a replay with changes. Raises as `verify_root_cause`."""
    _check(trace, reference, mended, expect)
    if reference is None and not mended:
        raise ConfigError("nothing says what a candidate should have written: give a reference run, or mended outputs")
    if not isinstance(candidates, int) or isinstance(candidates, bool) or candidates < 1:
        raise ConfigError(f"candidates is {candidates!r}; it must be a whole number, at least 1")
    run = side(handles(trace) or [], "the run", findings=False)
    good = None if reference is None else side(handles(reference) or [], "the reference", findings=False)
    labels = [*run.recording.tasks, *(call.label for call in run.recording.calls)]
    for label in mended or {}:
        if label not in labels:
            raise ConfigError(unknown_label(label, labels, run.recording.what))

    return verify(
        run,
        trace.root_cause(complaint=complaint),
        reference=good,
        mended=mended or {},
        passes=passing(expect, None if good is None else good.output),
        attempt=attempt,
        candidates=candidates,
    )


def _check(trace: Any, reference: Any, mended: Any, expect: Any) -> None:
    """Refuse arguments of other types."""
    if not isinstance(trace, Trace | Conversation):
        raise ConfigError(f"trace is {trace!r}; it must be a trace or a conversation")
    if reference is not None and not isinstance(reference, Trace | Conversation):
        raise ConfigError(f"reference is {reference!r}; it must be a trace or a conversation")
    if mended is not None and not (isinstance(mended, Mapping) and all(isinstance(one, str) for one in mended)):
        raise ConfigError(f"mended is {mended!r}; it must be a mapping of labels to outputs")
    if expect is not None and not isinstance(expect, str) and not callable(expect):
        raise ConfigError(f"expect is {expect!r}; it must be a regular expression, or a function of the output")


def untried(trace: Trace | Conversation, complaint: Complaint | str | None) -> tuple[VerifiedCause, ...]:
    """The ranking without a verdict."""
    run = side(handles(trace) or [], "the run", findings=False)
    causes = trace.root_cause(complaint=complaint)
    return tuple(
        VerifiedCause(one, label_of(run.recording, one.span), Verdict.NOT_TRIED, "; ".join(one.reasons))
        for one in causes
    )


def tried_in(traces: Sequence[Trace]) -> Tried:
    """A replay with changes, from its traces: one with a call that was not made has not come to its end."""
    outcomes = Counter(span.get(names.MAS_REPLAY_OUTCOME) for one in traces for span in one.spans)
    for outcome, reason in (
        (ReplayOutcome.STOPPED, "a call that depends on it would have to be paid: give --live or --stub"),
        (ReplayOutcome.MISSED, "the run went another way than the recorded one before it"),
    ):
        if outcomes[outcome.value]:
            return Tried(None, None, reason)
    if not outcomes[ReplayOutcome.CHANGED.value]:
        return Tried(None, None, "the app did not come to what was to be mended")
    return side_output(traces)


def side_output(traces: Sequence[Trace]) -> Tried:
    """The output and outcome of a run, in its traces."""
    found = side(traces, "the replay", findings=False)
    return Tried(found.output, found.outcome)


def passing(expect: str | Callable[[str | None], bool] | None, output: str | None) -> Callable[[Tried], bool]:
    """A function that tells whether a mended run ended well.

    Args:
        expect: as of `verify_root_cause`.
        output: of the reference; None where it has none, or there is no reference.

    Raises:
        ConfigError: It is no regular expression.
    """
    if expect is None:
        return lambda tried: tried.outcome is None and (output is None or _same(tried.output, output))
    if not isinstance(expect, str):
        return lambda tried: tried.outcome is None and bool(expect(tried.output))
    try:
        pattern = re.compile(expect)
    except re.error as error:
        raise ConfigError(f"expect is {expect!r}, no regular expression: {error}") from error
    return lambda tried: tried.outcome is None and pattern.search(tried.output or "") is not None


def _same(output: str | None, other: str) -> bool:
    """Whether two outputs are the same: a value of the state is named by its channel, an answer in it is not."""
    return output is not None and (output == other or output.endswith(f": {other}") or other.endswith(f": {output}"))


__all__ = ["passing", "side_output", "tried_in", "untried", "verified_by", "verify_root_cause"]
