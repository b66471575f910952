"""Exports and databases that the programs themselves have written (make/ has the scripts), read as traces.

But Langfuse's, which its server alone writes: that one is by hand, like those that the UI downloads.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import otel_mas
from otel_mas.model import Query, Trace
from otel_mas.model.message_text import written
from otel_mas.otlp.span_content import TraceContent
from otel_mas.semconv import attributes as names
from otel_mas.sources import open_source
from otel_mas.sources.exports.datadog import DatadogFile
from otel_mas.sources.exports.langfuse import LangfuseFile
from otel_mas.sources.exports.langsmith import LangSmithFile
from otel_mas.sources.exports.mlflow import MlflowDatabase
from otel_mas.sources.exports.phoenix import PhoenixDatabase
from otel_mas.sources.exports.source import ExportSource

DATA = Path(__file__).with_name("data")


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[str], Path]:
    """`exported("phoenix.sql")`: the database that it tells of; `exported("langsmith.jsonl")`: the file."""

    def made(name: str) -> Path:
        if not name.endswith(".sql"):
            return DATA / name
        path = tmp_path / name.replace(".sql", ".db")
        with sqlite3.connect(path) as database:
            database.executescript((DATA / name).read_text())
        database.close()
        return path

    return made


def one_trace(path: Path, kind: type[ExportSource]) -> Trace:
    """The one trace of a file, which is recognised by its content."""
    source = open_source(path)
    assert isinstance(source, kind)
    (summary,) = source.traces(Query(limit=10))
    return source.trace(summary.trace_id)


@pytest.mark.parametrize(
    ("name", "kind", "service"),
    [
        ("datadog.json", DatadogFile, "team"),
        ("langfuse.json", LangfuseFile, "team"),
        ("langsmith.jsonl", LangSmithFile, ""),
        ("mlflow.sql", MlflowDatabase, "team"),
        ("phoenix.sql", PhoenixDatabase, "team"),
    ],
)
def test_a_model_a_failed_tool_and_their_parent_in_one_conversation(
    name: str, kind: type[ExportSource], service: str, exported: Callable[[str], Path]
) -> None:
    path = exported(name)
    trace = one_trace(path, kind)
    by_name = {span.name: span for span in trace.spans}
    model = by_name.get("model") or by_name["GenericFakeChatModel"]
    tool = by_name["calculator"]
    ids = {span.span_id for span in trace.spans}

    assert {span.service for span in trace.spans} == {service}
    assert [span.name for span in trace.spans if span.parent_span_id is None] == [trace.spans[0].name]
    assert {span.parent_span_id for span in trace.spans if span.parent_span_id} <= ids
    assert [span.name for span in trace.spans if span.status.name == "ERROR"] == ["calculator"]
    assert all(span.start_ns <= (span.end_ns or 0) for span in trace.spans)
    assert trace.spans[0].conversation_id == "thread-1"
    assert tool.start_ns >= (model.end_ns or 0)
    with otel_mas.open(path) as source:
        found = source.trace(trace.trace_id).messages(model.span_id)
    assert [written(one.body) for one in found.input] == ["What is 2+2?"]
    assert [(one.role, written(one.body)) for one in found.output] == [("assistant", "4")]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("datadog.json", DatadogFile),
        ("langfuse.json", LangfuseFile),
        ("langsmith.jsonl", LangSmithFile),
        ("mlflow.sql", MlflowDatabase),
    ],
)
def test_calls_are_told_in_the_names_of_the_conventions(
    name: str, kind: type[ExportSource], exported: Callable[[str], Path]
) -> None:
    path = exported(name)
    trace = one_trace(path, kind)
    model = next(span for span in trace.spans if span.get(names.GEN_AI_OPERATION_NAME) == "chat")
    tool = next(span for span in trace.spans if span.get(names.GEN_AI_OPERATION_NAME) == "execute_tool")
    content = {one.name: one.value for one in TraceContent.of(trace.spans).contents[tool.span_id]}

    assert model.get(names.GEN_AI_REQUEST_MODEL) == "gpt-4o-mini"
    assert (model.get(names.GEN_AI_USAGE_INPUT_TOKENS), model.get(names.GEN_AI_USAGE_OUTPUT_TOKENS)) == (12, 5)
    assert tool.get(names.GEN_AI_TOOL_NAME) == "calculator"
    assert content[names.GEN_AI_TOOL_CALL_ARGUMENTS] == {"expression": "2+2"}
    with otel_mas.open(path) as source:
        (summary,) = source.traces()
    assert (summary.input_tokens, summary.output_tokens) == (12, 5)


def test_datadogs_links_of_langgraph_are_causes_in_the_trace(exported: Callable[[str], Path]) -> None:
    """They name the trace of APM; a task's output that is another's input is why that one ran."""
    trace = one_trace(exported("datadog.json"), DatadogFile)
    by_name = {span.name: span for span in trace.spans}
    (link,) = by_name["check"].links

    assert (link.trace_id, link.span_id, link.kind) == (trace.trace_id, by_name["research"].span_id, "trigger")
    assert [link.kind for link in by_name["team"].links] == [None]
    assert [by_name[name].columns[names.MAS_TASK_NAME] for name in ("research", "check")] == ["research", "check"]


def test_phoenix_gives_attributes_back_as_they_were_sent(exported: Callable[[str], Path]) -> None:
    """Names with dots and numbers, and text that Phoenix has taken apart is text again."""
    attributes = {span.name: span.attributes for span in one_trace(exported("phoenix.sql"), PhoenixDatabase).spans}

    assert attributes["model"]["llm.input_messages.0.message.content"] == "What is 2+2?"
    assert attributes["model"]["llm.token_count.prompt"] == 12
    assert attributes["team"]["metadata"] == '{"langgraph_step":1,"thread_id":"thread-1"}'


def test_a_database_that_is_written_is_read_as_it_was_at_the_question(exported: Callable[[str], Path]) -> None:
    path = exported("phoenix.sql")
    with sqlite3.connect(path) as writer, otel_mas.open(path) as source:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("DELETE FROM spans WHERE name = 'calculator'")
        (summary,) = source.traces()
        assert len(source.trace(summary.trace_id).spans) == 3
        writer.commit()
        assert len(source.trace(summary.trace_id).spans) == 2
    writer.close()


def test_a_span_that_cannot_be_read_is_left_out_and_said(
    exported: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = exported("phoenix.sql")
    with sqlite3.connect(path) as database:
        database.execute("UPDATE spans SET start_time = 'yesterday' WHERE name = 'calculator'")
    database.close()

    assert len(one_trace(path, PhoenixDatabase).spans) == 2
    assert "leaves out span" in caplog.text
