"""Datadog's LLM Observability: answers of its Export API and what is sent to it, after its reference."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_mas.model import Query, Span, StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.sources import open_source
from otel_mas.sources.exports.datadog import DatadogFile

TRACE, START = "6903738200000000af2d3775dfc70530", 1_796_041_479_501_212_345
ROOT, CALL = "14624140233640368324", "81985529216486895"  # 0xcaf2c15e3c8e8cc4, 0x123456789abcdef

Read = Callable[[Any], dict[str, Span]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """`read(document)`: the spans of the one trace by name."""

    def spans(document: Any) -> dict[str, Span]:
        file = tmp_path / "spans.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        source = open_source(file)
        assert isinstance(source, DatadogFile)
        (summary,) = source.traces(Query(limit=10))
        return {span.name: span for span in source.trace(summary.trace_id).spans}

    return spans


def sent(**more: Any) -> dict[str, Any]:
    """A span as Datadog's libraries send it."""
    return {
        "name": "root", "span_id": ROOT, "trace_id": TRACE, "parent_id": "undefined", "start_ns": START,
        "duration": 83_000, "status": "ok", "meta": {"span": {"kind": "workflow"}}, "metrics": {},
        "tags": ["service:team", "env:prod", "version:", "language:python", "session_id:s-1", "user_id:u-1"],
    } | more  # fmt: skip


def exported(**more: Any) -> dict[str, Any]:
    """A span as the Export API answers with it."""
    span = sent(**more)
    meta = span.pop("meta")
    attributes = span | {"span_kind": meta["span"]["kind"], "ml_app": "app"} | meta
    return {"id": span["span_id"], "type": "span", "attributes": attributes}


def model(**meta: Any) -> dict[str, Any]:
    inside = {"span": {"kind": "llm"}, "model_name": "gpt-4o-mini", "model_provider": "openai"} | meta
    return {"name": "model", "span_id": CALL, "parent_id": ROOT, "meta": inside}


FORMS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "a page of the API": lambda found: {"data": [exported(**one) for one in found], "meta": {"status": "done"}},
    "its spans as lines": lambda found: "\n".join(json.dumps(exported(**one)) for one in found),
    "what a library sends": lambda found: [
        {"_dd.stage": "raw", "event_type": "span", "spans": list(map(sent_of, found))}
    ],
    "what is sent over HTTP": lambda found: {
        "data": {"type": "span", "attributes": {"ml_app": "app", "spans": list(map(sent_of, found))}}
    },
    "spans in a list": lambda found: list(map(sent_of, found)),
}


def sent_of(given: dict[str, Any]) -> dict[str, Any]:
    return sent(**given)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_spans_are_read_in_every_form(read: Read, form: Callable[..., Any]) -> None:
    found = read(form([{}, model()]))
    root, call = found["root"], found["model"]

    assert (root.trace_id, root.span_id, root.parent_span_id) == (TRACE, f"{int(ROOT):016x}", None)
    assert (call.span_id, call.parent_span_id) == ("0123456789abcdef", root.span_id)
    assert (root.start_ns, root.end_ns) == (START, START + 83_000)
    assert call.attributes[names.GEN_AI_REQUEST_MODEL] == "gpt-4o-mini"
    assert root.attributes["_ml_obs.meta.span.kind"] == "workflow"


@pytest.mark.parametrize("none", ["undefined", "0", 0, "", None])
def test_a_parent_that_is_none_is_none(read: Read, none: Any) -> None:
    assert read([sent(parent_id=none)])["root"].parent_span_id is None


def test_a_start_in_milliseconds_is_one_too(read: Read) -> None:
    """As in the example of the reference."""
    assert read([sent(start_ns=1_761_833_858_897)])["root"].start_ns == 1_761_833_858_897 * 10**6


def test_tags_are_service_resource_session_and_user(read: Read) -> None:
    span = read([sent()])["root"]

    assert dict(span.resource.attributes) == {
        "service.name": "team",
        "deployment.environment.name": "prod",
        "telemetry.sdk.language": "python",
    }
    assert (span.attributes[names.SESSION_ID], span.attributes[names.USER_ID]) == ("s-1", "u-1")
    assert span.attributes[names.GEN_AI_CONVERSATION_ID] == "s-1"


def test_a_model_call_has_its_messages_tool_calls_tokens_and_cost(read: Read) -> None:
    calls = [{"name": "search", "arguments": {"query": "x"}, "tool_id": "call-1", "type": "function"}]
    results = [{"name": "search", "result": "found", "tool_id": "call-0", "type": "tool_result"}]
    given = {
        "input": {"messages": [{"role": "user", "content": "Search."}, {"role": "user", "tool_results": results}]},
        "output": {"messages": [{"role": "assistant", "content": "", "tool_calls": calls}]},
    }
    metrics = {"input_tokens": 10.0, "output_tokens": 0, "cache_read_input_tokens": 4, "estimated_total_cost": 7_500}
    found = read([sent(**model(**given), metrics=metrics)])["model"].attributes

    assert json.loads(str(found[names.GEN_AI_INPUT_MESSAGES])) == [
        {"role": "user", "parts": [{"type": "text", "content": "Search."}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call-0", "response": "found"}]},
    ]
    (answer,) = json.loads(str(found[names.GEN_AI_OUTPUT_MESSAGES]))
    assert answer["parts"] == [{"type": "tool_call", "id": "call-1", "name": "search", "arguments": {"query": "x"}}]
    assert (found[names.GEN_AI_USAGE_INPUT_TOKENS], found[names.GEN_AI_USAGE_OUTPUT_TOKENS]) == (10, 0)
    assert found[names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS] == 4
    assert (found[names.MAS_COST_USD], found[names.MAS_COST_SOURCE]) == (pytest.approx(7.5e-6), "Datadog")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("agent", {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: "root"}),
        ("tool", {names.GEN_AI_OPERATION_NAME: "execute_tool", names.GEN_AI_TOOL_CALL_ARGUMENTS: '{"x":1}'}),
        ("retrieval", {names.GEN_AI_OPERATION_NAME: "retrieval", names.GEN_AI_RETRIEVAL_DOCUMENTS: '[{"text":"y"}]'}),
        ("embedding", {names.GEN_AI_OPERATION_NAME: "embeddings"}),
        ("task", {names.GEN_AI_OPERATION_NAME: None}),
    ],
)
def test_kinds_that_are_calls_have_the_names_of_the_conventions(
    read: Read, kind: str, expected: dict[str, str | None]
) -> None:
    meta = {"span": {"kind": kind}, "input": {"value": '{"x": 1}'}, "output": {"documents": [{"text": "y"}]}}
    span = read([sent(meta=meta)])["root"]

    assert {name: span.attributes.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("kind", "status"),
    [("builtins.ValueError", StatusCode.ERROR), ("langgraph.errors.GraphInterrupt", StatusCode.UNSET)],
)
def test_an_error_is_an_event_and_a_status_but_for_pauses_of_langgraph(
    read: Read, kind: str, status: StatusCode
) -> None:
    error = {"message": "no", "type": kind, "stack": "Traceback"}
    span = read([sent(status="error", meta={"span": {"kind": "task"}, "error": error})])["root"]

    assert span.status is status
    assert [one.attributes[names.EXCEPTION_TYPE] for one in span.events] == [kind]


def test_a_span_that_cannot_be_read_is_left_out_and_said(read: Read, caplog: pytest.LogCaptureFixture) -> None:
    assert list(read([sent(), sent(start_ns="soon"), "x"])) == ["root"]
    assert caplog.text.count("leaves out a span") == 2
