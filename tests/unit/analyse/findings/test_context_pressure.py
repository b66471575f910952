"""Calls close to the context window, or beyond it, are found; where the window is not known, only what was said."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.findings import RunFacts
from otel_mas.analyse.findings.context_pressure import context_pressure
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made


def call(number: int, tokens: int, **more: Any) -> Span:
    more = {names.GEN_AI_PROVIDER_NAME: "openai", **more}
    span = made.call(f"chat{number}", 10 * number, 10 * number + 5, "writer1", **more)
    span.columns = {**span.columns, names.GEN_AI_USAGE_INPUT_TOKENS: tokens}
    return span


def found(*calls: Span, window: int | None = 128_000, **thresholds: float) -> list[Finding]:
    graph = made.graph(made.agent("writer1", 0, 1000), *calls)
    known = {("openai", "small"): window}
    run = RunFacts(graph, thresholds=Thresholds.of(thresholds), windows=lambda *model: known.get(model))
    return list(context_pressure(run))


def test_an_input_close_to_the_window() -> None:
    (one,) = found(call(1, 20_000), call(2, 104_000), call(3, 110_000))

    assert (one.severity, one.confidence, one.rests_on) == (Severity.WARNING, 0.9, ("recorded", "metadata"))
    assert one.summary == (
        "writer sent small 110,000 tokens, of the 128,000 that its context window has; "
        "its input grew from 20,000 to 110,000 tokens"
    )
    assert (one.subject, one.spans) == ("writer: small", ("chat3", "chat2"))


def test_an_input_that_leaves_room_is_fine_and_the_threshold_can_be_set() -> None:
    assert found(call(1, 100_000)) == []
    assert len(found(call(1, 100_000), context_window_share=0.75)) == 1


def test_nothing_is_said_where_the_window_is_not_known() -> None:
    assert found(call(1, 900_000), window=None) == []


def test_an_answer_that_ended_since_the_window_was_full() -> None:
    (one,) = found(call(1, 500, **{names.GEN_AI_RESPONSE_FINISH_REASONS: ("model_context_window_exceeded",)}))

    assert (one.confidence, one.rests_on) == (1.0, ("recorded",))
    assert one.summary == "an answer of small to writer ended since its context window was full"


@pytest.mark.parametrize("run_failed", [True, False])
def test_a_call_that_was_refused_as_too_long(run_failed: bool) -> None:
    refused = made.call("chat1", 1, 5, "writer1", failed=True, **{names.ERROR_TYPE: "openai.BadRequestError"})
    contents = {"chat1": {names.EXCEPTION_MESSAGE: "Error code: 400 - {'code': 'context_length_exceeded'}"}}
    (one,) = context_pressure(facts(made.agent("writer1", 0, 9, failed=run_failed), refused, contents=contents))

    assert one.severity is (Severity.ERROR if run_failed else Severity.WARNING)
    assert one.summary == "small refused writer a call as too long for its context window"


@pytest.mark.parametrize(
    ("message", "count"),
    [
        ("This model's maximum context length is 8192 tokens", 1),
        ("prompt is too long: 210000 tokens > 200000 maximum", 1),
        ("The input token count (1200000) exceeds the maximum number of tokens allowed", 1),
        ("the file is too long", 0),
        ("the context of this request is missing", 0),
    ],
)
def test_providers_say_it_in_several_ways(message: str, count: int) -> None:
    refused = made.call("chat1", 1, 5, "writer1", failed=True, **{names.ERROR_TYPE: "BadRequestError"})
    run = facts(made.agent("writer1", 0, 9), refused, contents={"chat1": {names.EXCEPTION_MESSAGE: message}})

    assert len(list(context_pressure(run))) == count
