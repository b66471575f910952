"""A run whose process stopped, or in which nothing happens any more, is stalled; one that is busy or went on is not."""

from __future__ import annotations

from dataclasses import replace

from otel_mas.analyse.findings.stalled_run import stalled_run
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

S = 10**9
RUN = {names.GEN_AI_OPERATION_NAME: "invoke_workflow", names.GEN_AI_AGENT_NAME: "press"}


def stopped(*spans: Span, seen_ns: int = 5 * S) -> list[Span]:
    return [replace(span, stopped=True, seen_ns=seen_ns) if span.end_ns is None else span for span in spans]


def alive(*spans: Span, seen_ns: int) -> list[Span]:
    return [replace(span, seen_ns=seen_ns) if span.end_ns is None else span for span in spans]


def run(**more: object) -> list[Span]:
    """A run with a writer and its model call, all open."""
    return [
        made.span("run", 0, None, **RUN, **more),
        made.agent("read1", 1, 2 * S, "run"),
        made.agent("write1", 2 * S, None, "run"),  # type: ignore[arg-type]
        made.call("call1", 3 * S, None, "write1"),  # type: ignore[arg-type]
    ]


def found(*spans: Span, now_s: int = 10, **thresholds: float) -> list[Finding]:
    return list(stalled_run(facts(*spans, now_ns=now_s * S, **thresholds)))


def test_a_run_whose_process_stopped() -> None:
    (one,) = found(*stopped(*run()))

    assert (one.severity, one.confidence, one.subject) == (Severity.ERROR, 1.0, "press")
    assert one.summary == "the process of press stopped while call1 in write#1 was open"
    assert one.spans == ("call1", "run")


def test_a_part_of_a_run_whose_process_stopped_is_no_error() -> None:
    outer = made.span("outer", 0, 9 * S, **RUN)
    (one,) = found(outer, *stopped(made.agent("write1", 2 * S, None, "outer")))  # type: ignore[arg-type]
    assert (one.severity, one.spans) == (Severity.WARNING, ("write1",))


def test_a_thread_that_went_on_is_no_error() -> None:
    thread = {names.GEN_AI_CONVERSATION_ID: "t"}
    later = made.span("later", 50 * S, 60 * S, run_outcome="ok", **thread)
    (one,) = found(*stopped(*run(**thread)), later, now_s=100)
    assert one.severity is Severity.WARNING
    assert "went on in a later run" in one.summary


def test_a_run_in_which_nothing_happens_any_more() -> None:
    spans = alive(*run(), seen_ns=1000 * S)
    (one,) = found(*spans, now_s=1000)

    assert (one.severity, one.confidence) == (Severity.WARNING, 0.6)
    assert one.summary == "press has been open without a sign of life for 16m 37s, since call1 in write#1 began"
    assert found(*spans, now_s=500) == []
    assert len(found(*spans, now_s=500, stalled_after_s=300)) == 1


def test_a_run_at_work_is_none() -> None:
    assert found(*alive(*run(), seen_ns=10 * S)) == []


def test_a_run_that_ended_is_none() -> None:
    assert found(made.span("run", 0, 5, run_outcome="error", failed=True), now_s=10_000) == []
