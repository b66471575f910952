"""Langfuse's JSON: downloads of its UI, answers of its API, exports of observations.

The documents are written by hand after Langfuse's API reference, since only its server writes them; the shared ones are
downloads.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.model import Query, Span, StatusCode, TraceSummary
from otel_mas.model.message_text import written
from otel_mas.semconv import attributes as names
from otel_mas.sources import open_source
from otel_mas.sources.exports.langfuse import LangfuseFile

TRACE, ROOT, CALL = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "00f067aa0ba902b7"
OTEL = {
    "attributes": {"gen_ai.usage.input_tokens": "12", "my.flag": "true", "my.structure": {"a": 1}, "my.list": ["x"]},
    "resourceAttributes": {"service.name": "team", "process.pid": 7},
    "scope": {"name": "my.instrumentation", "version": "1.2", "attributes": {"public_key": "pk"}},
}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[Any], dict[str, Span]]:
    """`read(document)`: the spans of the one trace by name."""

    def spans(document: Any) -> dict[str, Span]:
        file = tmp_path / "trace.json"
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        source = open_source(file)
        assert isinstance(source, LangfuseFile)
        (summary,) = source.traces(Query(limit=10))
        return {span.name: span for span in source.trace(summary.trace_id).spans}

    return spans


def observation(**more: Any) -> dict[str, Any]:
    return {
        "id": ROOT, "traceId": TRACE, "type": "SPAN", "name": "root", "startTime": "2026-11-30T12:00:00.000Z",
        "endTime": "2026-11-30T12:00:01.500Z", "parentObservationId": None, "level": "DEFAULT", "statusMessage": None,
        "environment": "default", "metadata": {}, "input": None, "output": None,
    } | more  # fmt: skip


def trace(**more: Any) -> dict[str, Any]:
    return {"id": TRACE, "timestamp": "2026-11-30T12:00:00.000Z", "bookmarked": False, "name": "ask"} | more


def generation(**more: Any) -> dict[str, Any]:
    return observation(
        id=CALL, type="GENERATION", name="model", parentObservationId=ROOT, model="gpt-4o",
        input=[{"role": "user", "content": "What is 2+2?"}], output={"role": "assistant", "content": "4"},
    ) | more  # fmt: skip


COLUMNS = {"traceId": "trace_id", "startTime": "start_time", "endTime": "end_time"} | {
    "parentObservationId": "parent_observation_id", "statusMessage": "status_message", "model": "provided_model_name",
}  # fmt: skip
FORMS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "the UI's download": lambda found: {"trace": trace(), "observations": found},
    "several of them": lambda found: [{"trace": trace(), "observations": found}],
    "a trace of the API": lambda found: trace(observations=found),
    "a page of the API": lambda found: {"data": found, "meta": {"page": 1}},
    "a list": lambda found: found,
    "lines": lambda found: "\n".join(map(json.dumps, found)),
    "an export to a bucket": lambda found: "\n".join(
        json.dumps({COLUMNS.get(key, key): value for key, value in one.items()}) for one in found
    ),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_observations_are_spans_in_every_form(read: Callable[[Any], dict[str, Span]], form: Callable[..., Any]) -> None:
    found = read(form([observation(), generation()]))

    assert (found["root"].trace_id, found["root"].span_id, found["root"].parent_span_id) == (TRACE, ROOT, None)
    assert (found["root"].end_ns or 0) - found["root"].start_ns == 1_500_000_000
    assert found["model"].parent_span_id == ROOT
    assert found["model"].attributes[names.GEN_AI_REQUEST_MODEL] == "gpt-4o"


def test_a_download_is_recognised_however_long_its_trace_is(read: Callable[[Any], dict[str, Span]]) -> None:
    assert list(read({"trace": trace(input="x" * 2**17), "observations": [observation()]})) == ["root"]


@pytest.mark.parametrize(
    "metadata",
    [
        OTEL,
        json.dumps(OTEL),
        {part: json.dumps(value) for part, value in OTEL.items()},
        {f"{part}.{name}": value for part, inner in OTEL.items() for name, value in inner.items()},
    ],
    ids=["structure", "text", "texts", "flat"],
)
def test_a_span_of_opentelemetry_has_its_attributes_resource_and_scope_again(
    read: Callable[[Any], dict[str, Span]], metadata: Any
) -> None:
    span = read([observation(metadata=metadata)])["root"]

    assert {name: span.attributes[name] for name in OTEL["attributes"]} == {
        "gen_ai.usage.input_tokens": 12,
        "my.flag": "true",
        "my.structure": '{"a":1}',
        "my.list": ("x",),
    }
    assert dict(span.resource.attributes) == OTEL["resourceAttributes"]
    assert (span.scope.name, span.scope.version) == ("my.instrumentation", "1.2")
    assert dict(span.scope.attributes) == {"public_key": "pk"}


def test_what_langfuse_says_has_the_names_of_its_sdk(read: Callable[[Any], dict[str, Span]]) -> None:
    of_root = {"metadata": {"langgraph_node": "plan", "langgraph_step": 1, "langgraph_triggers": ["start"]}}
    ends = {"input": "hello", "output": {"a": 1}}
    given = trace(sessionId="s-1", userId="u-1", tags=["beta"], metadata={"tier": "gold"}, **ends)
    span = read({"trace": given, "observations": [observation(**of_root, **ends)]})["root"]

    assert dict(span.attributes) == {
        "langfuse.observation.type": "span",
        "langfuse.observation.level": "DEFAULT",
        "langfuse.observation.input": "hello",
        "langfuse.observation.output": '{"a":1}',
        "langfuse.observation.metadata.langgraph_node": "plan",
        "langfuse.observation.metadata.langgraph_step": 1,
        "langfuse.observation.metadata.langgraph_triggers": ("start",),
        "langfuse.trace.name": "ask",
        "langfuse.trace.tags": ("beta",),
        "langfuse.trace.input": "hello",
        "langfuse.trace.output": '{"a":1}',
        "langfuse.trace.metadata.tier": "gold",
        "langfuse.environment": "default",
        names.SESSION_ID: "s-1",
        names.USER_ID: "u-1",
        names.GEN_AI_CONVERSATION_ID: "s-1",
    }


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("AGENT", {names.GEN_AI_OPERATION_NAME: "invoke_agent", names.GEN_AI_AGENT_NAME: "it"}),
        (
            "TOOL",
            {
                names.GEN_AI_OPERATION_NAME: "execute_tool",
                names.GEN_AI_TOOL_NAME: "it",
                names.GEN_AI_TOOL_CALL_ARGUMENTS: '{"x":1}',
                names.GEN_AI_TOOL_CALL_RESULT: "y",
            },
        ),
        ("RETRIEVER", {names.GEN_AI_OPERATION_NAME: "retrieval", names.GEN_AI_RETRIEVAL_DOCUMENTS: "y"}),
        ("GENERATION", {names.GEN_AI_OPERATION_NAME: "chat", names.MAS_RECORD_KIND: "LLM_CALL"}),
        ("EMBEDDING", {names.GEN_AI_OPERATION_NAME: "embeddings"}),
        ("CHAIN", {names.GEN_AI_OPERATION_NAME: None, names.MAS_RECORD_KIND: None}),
    ],
)
def test_types_that_are_calls_have_the_names_of_the_conventions(
    read: Callable[[Any], dict[str, Span]], kind: str, expected: dict[str, Any]
) -> None:
    span = read([observation(type=kind, name="it", input='{"x":1}', output="y")])["it"]

    assert {name: span.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    ("kind", "original", "expected"),
    [
        ("GENERATION", {"openinference.span.kind": "LLM"}, None),
        ("GENERATION", {names.GEN_AI_OPERATION_NAME: "text_completion"}, "text_completion"),
        ("SPAN", {names.GEN_AI_OPERATION_NAME: "chain"}, "chain"),
    ],
)
def test_a_span_that_says_its_kind_itself_is_believed(
    read: Callable[[Any], dict[str, Span]], kind: str, original: dict[str, str], expected: str | None
) -> None:
    span = read([observation(type=kind, metadata={"attributes": original})])["root"]

    assert span.attributes.get(names.GEN_AI_OPERATION_NAME) == expected


@pytest.mark.parametrize(("name", "operation"), [("agent", None), ("researcher", "invoke_agent")])
def test_a_node_of_langgraph_is_left_to_its_metadata(
    read: Callable[[Any], dict[str, Span]], name: str, operation: str | None
) -> None:
    span = read([observation(type="AGENT", name=name, metadata={"langgraph_node": "agent"})])[name]

    assert span.attributes.get(names.GEN_AI_OPERATION_NAME) == operation
    assert span.attributes["langfuse.observation.metadata.langgraph_node"] == "agent"


@pytest.mark.parametrize(
    ("given", "read_tokens", "wrote", "cached"),
    [
        ({"usageDetails": {"input": 10, "output": 5, "total": 15}}, 10, 5, None),
        ({"usageDetails": {"input": 10, "input_cache_read": 90, "output": 5, "total": 105}}, 100, 5, 90),
        ({"usageDetails": {"input": 10, "prompt_details.cache_read": 4, "output": 5, "total": 15}}, 10, 5, 4),
        ({"usageDetails": '{"input":"10","output":"5"}'}, 10, 5, None),
        ({"usage": {"input": 10, "output": 5, "total": 15, "unit": "TOKENS"}}, 10, 5, None),
        ({"promptTokens": 10, "completionTokens": 5}, 10, 5, None),
        ({"usageDetails": {}}, None, None, None),
    ],
)
def test_tokens_are_those_of_each_version_cached_ones_included(
    read: Callable[[Any], dict[str, Span]],
    given: dict[str, Any],
    read_tokens: int | None,
    wrote: int | None,
    cached: int | None,
) -> None:
    found = read([generation(**given)])["model"].attributes

    assert found.get(names.GEN_AI_USAGE_INPUT_TOKENS) == read_tokens
    assert found.get(names.GEN_AI_USAGE_OUTPUT_TOKENS) == wrote
    assert found.get(names.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS) == cached


@pytest.mark.parametrize(
    ("given", "cost"),
    [({"costDetails": {"total": 0.5}}, 0.5), ({"calculatedTotalCost": "0.25"}, 0.25), ({"totalCost": 0}, None)],
)
def test_a_cost_is_langfuses(read: Callable[[Any], dict[str, Span]], given: dict[str, Any], cost: float | None) -> None:
    found = read([generation(**given)])["model"].attributes

    assert found.get(names.MAS_COST_USD) == cost
    assert found.get(names.MAS_COST_SOURCE) == (None if cost is None else "Langfuse")


def test_a_calls_messages_tool_calls_and_tools_are_read(tmp_path: Path) -> None:
    """As Langfuse's callback of LangChain writes them: tools among the messages, calls in `additional_kwargs`."""
    function = {"name": "search", "arguments": '{"query":"x"}'}
    tool = {"type": "function", "function": {"name": "search", "parameters": {}}}
    given = [{"role": "user", "content": "Search."}, {"role": "tool", "content": tool}]
    calls = [{"id": "call-1", "type": "function", "function": function}]
    answer = {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": calls}}
    (tmp_path / "one.json").write_text(json.dumps([generation(input=json.dumps(given), output=json.dumps(answer))]))

    with otel_mas.open(tmp_path / "one.json") as source:
        run = source.trace(TRACE)
        found = run.messages(CALL)
        assert run.spans[0].attributes[names.GEN_AI_TOOL_DEFINITIONS] == json.dumps([tool], separators=(",", ":"))
    assert [(one.role, written(one.body)) for one in found.input] == [("user", "Search.")]
    assert [written(one.body) for one in found.output] == ['calls search({"query":"x"})']


@pytest.mark.parametrize(
    ("level", "message", "status"),
    [
        ("ERROR", "no", StatusCode.ERROR),
        ("ERROR", "GraphInterrupt((Interrupt(...),))", StatusCode.UNSET),
        ("WARNING", "hm", StatusCode.UNSET),
    ],
)
def test_a_level_is_an_error_but_for_pauses_of_langgraph(
    read: Callable[[Any], dict[str, Span]], level: str, message: str, status: StatusCode
) -> None:
    span = read([observation(level=level, statusMessage=message)])["root"]

    assert (span.status, span.status_message) == (status, message if status is StatusCode.ERROR else "")
    assert span.attributes["langfuse.observation.status_message"] == message
    pauses = [one.attributes[names.EXCEPTION_TYPE] for one in span.events]
    assert pauses == (["GraphInterrupt"] if "Interrupt" in message else [])


def test_an_event_takes_no_time_and_what_has_no_end_is_open(read: Callable[[Any], dict[str, Span]]) -> None:
    found = read([observation(type="EVENT", name="event", endTime=None), observation(id=CALL, endTime=None)])

    assert found["event"].end_ns == found["event"].start_ns
    assert found["root"].end_ns is None


def test_an_observation_that_cannot_be_read_is_left_out_and_said(
    read: Callable[[Any], dict[str, Span]], caplog: pytest.LogCaptureFixture
) -> None:
    assert list(read(trace(observations=[observation(), "id-of-another", observation(startTime="soon")]))) == ["root"]
    assert caplog.text.count("leaves out an observation") == 2


FRAMEWORKS = [
    ("agno-2025-06-11", 6),
    ("claude-agent-2025-12-22", 7),
    ("crewai-2025-07-11", 6),
    ("google-adk-2025-08-28", 5),
    ("koog-2025-08-26", 11),
    ("langgraph-python-2025-08-22", 9),
    ("microsoft-agent-2025-12-17", 4),
    ("pydantic-ai-2025-06-06", 3),
    ("pydantic-ai-tools-2025-12-04", 12),
    ("vercel-aisdk-2025-11-17", 3),
]


@pytest.mark.parametrize(("name", "spans"), FRAMEWORKS)
def test_a_download_is_one_trace_with_one_root(name: str, spans: int, shared_data: Callable[[str], Path]) -> None:
    source = open_source(shared_data(f"dialects/frameworks/{name}.trace.json"))
    assert isinstance(source, LangfuseFile)
    (summary,) = source.traces(Query(limit=10))
    found: TraceSummary = summary
    whole = source.trace(found.trace_id)

    assert (found.span_count, len(whole.spans), whole.incomplete) == (spans, spans, None)
    assert [span.parent_span_id for span in whole.spans].count(None) == 1
    assert {span.resource.attributes.get("telemetry.sdk.name") for span in whole.spans} <= {"opentelemetry", None}
    assert all(span.scope.name and span.attributes["langfuse.observation.type"] for span in whole.spans)
