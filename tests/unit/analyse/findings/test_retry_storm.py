"""Many failed tries of the same call are a storm; few, other calls, and calls side by side are none."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.findings.retry_storm import retry_storm
from otel_mas.model import Finding, Severity, Span, SpanKind
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

TIMEOUT = {names.ERROR_TYPE: "httpx.ReadTimeout"}


def calls(number: int, *, each_ns: int = 10, worked: bool = False) -> list[Span]:
    """Calls of `search` that failed, and at the end one that worked."""
    failed = [
        made.tool(f"search{i}", each_ns * i + 1, each_ns * i + 6, "writer1", failed=True, **TIMEOUT)
        for i in range(number)
    ]
    last = made.tool(f"search{number}", each_ns * number + 1, each_ns * number + 6, "writer1")
    return [*failed, last] if worked else failed


def storms(spans: Sequence[Span], arguments: Sequence[str] = ("tram",), **thresholds: float) -> list[Finding]:
    contents = {
        span.span_id: {names.GEN_AI_TOOL_CALL_ARGUMENTS: {"q": arguments[i % len(arguments)]}}
        for i, span in enumerate(spans)
    }
    run = facts(made.agent("writer1", 0, 1000), *spans, contents=contents, **thresholds)
    return list(retry_storm(run))


def test_many_failed_calls_in_a_row() -> None:
    (found,) = storms(calls(5))

    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 1.0, "writer: search")
    assert found.summary == "search of writer failed 5 times in a row within 0 µs (ReadTimeout) and never worked"
    assert found.spans == tuple(f"search{i}" for i in range(5))
    assert found.saves_ns == 45


def test_the_wait_until_it_worked_is_lost() -> None:
    (found,) = storms(calls(5, worked=True))

    assert found.summary.endswith("and then worked")
    assert (found.spans[-1], found.saves_ns) == ("search5", 50)


def test_a_few_retries_are_none_and_the_threshold_can_be_set() -> None:
    assert storms(calls(4, worked=True)) == []
    assert len(storms(calls(4), retry_storm_calls=4)) == 1


def test_success_in_between_begins_anew() -> None:
    later = [
        made.tool(f"search{i}", 10 * i + 1, 10 * i + 6, "writer1", failed=True, **TIMEOUT) for i in (10, 11, 12, 13)
    ]
    assert storms([*calls(4, worked=True), *later]) == []


def test_calls_with_other_arguments_or_side_by_side_are_no_retries() -> None:
    assert storms(calls(8), arguments=("tram", "bus")) == []
    assert storms(calls(8, each_ns=1)) == []


def test_attempts_of_a_node_and_the_calls_in_them_are_one_storm() -> None:
    around = made.agent("writer1", 0, 1000)
    attempts, inside, read = [], [], {}
    for i in range(5):
        attempt = {names.MAS_TASK_ATTEMPT: i + 1, "task_id": "w", "task_name": "write"}
        attempts.append(made.task(f"write{i}", 20 * i, 20 * i + 10, "writer1", failed=True, **attempt))
        inside.append(made.call(f"chat{i}", 20 * i + 1, 20 * i + 9, f"write{i}", failed=True, **TIMEOUT))
        read[f"chat{i}"] = ["m"]
    (outer,) = retry_storm(facts(around, *attempts))
    assert outer.summary.startswith("write of writer failed 5 times in a row")

    (inner,) = retry_storm(facts(around, *attempts, *inside, read=read))
    assert inner.summary.startswith("small of writer failed 5 times in a row")


def test_requests_of_other_instrumentation_inside_a_model_call() -> None:
    requests = [Span("t1", f"post{i}", "chat1", "POST", 10 * i + 1, 10 * i + 5, kind=SpanKind.CLIENT) for i in range(6)]
    failed = [
        made.span(f"post{i}", 10 * i + 1, 10 * i + 5, "chat1", failed=True, **{names.ERROR_TYPE: "503"})
        for i in range(6)
    ]
    for span in failed:
        span.kind, span.name = SpanKind.CLIENT, "POST"
    around = made.agent("writer1", 0, 1000), made.call("chat1", 0, 900, "writer1")

    (found,) = retry_storm(facts(*around, *failed))
    assert found.summary.startswith("POST of writer failed 6 times in a row")
    assert list(retry_storm(facts(*around, *requests))) == []
