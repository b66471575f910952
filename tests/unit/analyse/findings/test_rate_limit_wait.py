"""Refusals by a rate limit are found with the time that they cost; other errors, and texts about limits, are not."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.findings.rate_limit_wait import rate_limit_wait
from otel_mas.model import Finding, Severity, Span, SpanKind
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

LIMITED = {names.ERROR_TYPE: "openai.RateLimitError"}
SECOND = 1_000_000_000


def found(*calls: Span, message: str | None = None, run_failed: bool = False, **thresholds: float) -> list[Finding]:
    """Findings about an agent that made these model calls, all with the same messages."""
    contents = {call.span_id: {names.EXCEPTION_MESSAGE: message} for call in calls} if message else {}
    agent = made.agent("writer1", 0, 100 * SECOND, failed=run_failed)
    return list(
        rate_limit_wait(
            facts(agent, *calls, read={call.span_id: ["m"] for call in calls}, contents=contents, **thresholds)
        )
    )


def refused(number: int, start_s: int, **columns: Any) -> Span:
    columns = columns or LIMITED
    return made.call(f"chat{number}", start_s * SECOND, (start_s + 1) * SECOND, "writer1", failed=True, **columns)


def test_the_calls_and_the_waits_until_one_worked_are_lost() -> None:
    worked = made.call("chat3", 8 * SECOND, 9 * SECOND, "writer1")
    (one,) = found(refused(1, 1), refused(2, 4), worked)

    assert (one.severity, one.confidence, one.subject) == (Severity.WARNING, 1.0, "writer: small")
    assert one.summary == "small of writer was refused 2 times by a rate limit, which cost 7.00 s"
    assert (one.spans, one.saves_ns) == (("chat1", "chat2", "chat3"), 7 * SECOND)


def test_the_run_may_fail_of_it() -> None:
    (one,) = found(refused(1, 1), run_failed=True)

    assert (one.severity, one.saves_ns) == (Severity.ERROR, SECOND)
    assert one.summary == "small of writer was refused by a rate limit, which ended the run"


def test_a_short_wait_is_worth_knowing_and_the_threshold_can_be_set() -> None:
    quick = made.call("chat1", 1000, 2000, "writer1", failed=True, **LIMITED)
    assert [one.severity for one in found(quick, made.call("chat2", 3000, 4000, "writer1"))] == [Severity.INFO]
    assert [one.severity for one in found(quick, rate_limit_wait_s=0)] == [Severity.WARNING]


def test_only_refused_calls_count_among_other_failures() -> None:
    other = refused(1, 1, **{names.ERROR_TYPE: "httpx.ReadTimeout"})
    (one,) = found(other, refused(2, 4), made.call("chat3", 6 * SECOND, 7 * SECOND, "writer1"))

    assert one.saves_ns == 2 * SECOND


@pytest.mark.parametrize(
    "kind", ["google.api_core.exceptions.ResourceExhausted", "TooManyRequests", "botocore.ThrottlingException", "429"]
)
def test_refusals_have_several_names(kind: str) -> None:
    assert len(found(refused(1, 1, **{names.ERROR_TYPE: kind}))) == 1


@pytest.mark.parametrize(
    ("message", "count"),
    [
        ("Error code: 429 - too fast", 1),
        ("HTTP 429", 1),
        ("429 Too Many Requests", 1),
        ("Rate limit reached for requests", 1),
        ("there are 429 trams", 0),
        ("read about rate limits in the manual", 0),
        ("error: 4290 trams", 0),
    ],
)
def test_and_messages_say_so(message: str, count: int) -> None:
    assert len(found(refused(1, 1, **{names.ERROR_TYPE: "HTTPError"}), message=message)) == count


def test_requests_inside_a_model_call_that_worked() -> None:
    post = made.span("post1", 2 * SECOND, 3 * SECOND, "chat1", failed=True, **{names.ERROR_TYPE: "429"})
    again = made.span("post2", 6 * SECOND, 7 * SECOND, "chat1")
    for span in (post, again):
        span.kind, span.name = SpanKind.CLIENT, "POST"
    agent, call = made.agent("writer1", 0, 100 * SECOND), made.call("chat1", SECOND, 8 * SECOND, "writer1")
    (one,) = rate_limit_wait(facts(agent, call, post, again))

    assert (one.summary, one.saves_ns) == ("POST of writer was refused by a rate limit, which cost 4.00 s", 4 * SECOND)


@pytest.mark.parametrize(("status", "count"), [(429, 1), (503, 0)])
@pytest.mark.parametrize("name", ["http.response.status_code", "http.status_code"])
def test_requests_have_a_status(name: str, status: int, count: int) -> None:
    post = made.span("post1", 2, 3, "chat1", failed=True, **{name: status})
    post.kind = SpanKind.CLIENT
    run = facts(made.agent("writer1", 0, 100), made.call("chat1", 1, 8, "writer1"), post)

    assert len(list(rate_limit_wait(run))) == count
