"""The ten queries of docs/sql.md answer what the API answers, about the example team, from its store and an import."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.api import Conversation, Source
from otel_mas.cli import cli
from otel_mas.model.message_text import written
from otel_mas.semconv import attributes as names
from tests.answers.conftest import Recorded

PAGE = Path(__file__).resolve().parents[2] / "docs" / "sql.md"
QUERIES = dict(re.findall(r"^### ([^\n]+)\n```sql\n(.+?)```", PAGE.read_text(), re.DOTALL | re.MULTILINE))

Rows = list[tuple[Any, ...]]


def newest(source: Source, run: Conversation) -> Rows:
    return [(one.trace_id, one.name, one.status, one.span_count, one.cost_usd) for one in source.traces()]


def models(source: Source, run: Conversation) -> Rows:
    return [
        (row.name, row.calls, row.input_tokens, row.output_tokens, pytest.approx(row.usd))
        for row in run.graph().cost().by_model
    ]


def slowest(source: Source, run: Conversation) -> Rows:
    tasks = [span for span in run.spans if span.task_name is not None]
    runs = Counter(span.task_name for span in tasks)
    longest = {name: max(span.duration_ns for span in tasks if span.task_name == name) / 1e6 for name in runs}
    return [(name, runs[name], longest[name]) for name in sorted(runs, key=lambda one: (-longest[one], one))[:5]]


def chats(run: Conversation) -> list[Any]:
    return [span for span in run.spans if span.get(names.GEN_AI_OPERATION_NAME) == "chat"]


def temperatures(source: Source, run: Conversation) -> Rows:
    found = sorted(chats(run), key=lambda span: (span.start_ns, span.span_id))
    return [(span.span_id, span.get("gen_ai.request.temperature")) for span in found]


def causes(source: Source, run: Conversation) -> Rows:
    by_id = {span.span_id: span for span in run.spans}
    found = Counter(
        (by_id[link.span_id].task_name, link.kind, span.task_name)
        for span in run.spans
        for link in span.links
        if span.task_name and link.span_id in by_id and by_id[link.span_id].task_name
    )
    return sorted(((*key, times) for key, times in found.items()), key=lambda row: (-row[3], *row[:3]))


def answers(source: Source, run: Conversation) -> Rows:
    return [
        (span.span_id, written(message.body or {}))
        for trace in run.traces
        for span in trace.spans
        if span.get(names.GEN_AI_OPERATION_NAME) == "chat"
        for message in trace.messages(span).output
    ]


def most_read(source: Source, run: Conversation) -> Rows:
    read = [message for trace in run.traces for span in trace.spans for message in trace.messages(span).input]
    texts = {message.digest: message.body and written(message.body) for message in read}
    counts = Counter(message.digest for message in read)
    return [(one, counts[one], texts[one]) for one in sorted(counts, key=lambda one: (-counts[one], one))[:3]]


def tools(source: Source, run: Conversation) -> Rows:
    found = [(span, trace) for trace in run.traces for span in trace.spans if span.record_kind == "TOOL_CALL"]
    rows = []
    for span, trace in sorted(found, key=lambda pair: (pair[0].start_ns, pair[0].span_id)):
        contents = trace.contents(span)
        arguments = contents[names.GEN_AI_TOOL_CALL_ARGUMENTS]
        result = contents[names.GEN_AI_TOOL_CALL_RESULT]
        rows.append((span.get(names.GEN_AI_TOOL_NAME), orjson.dumps(arguments).decode(), result))
    return rows


def decisions(source: Source, run: Conversation) -> Rows:
    reasons = run.reasons()
    routes = [span for span in run.spans if span.record_kind == "ROUTING_DECISION" and span.span_id in reasons]
    return [
        (orjson.dumps(span.get(names.MAS_ROUTING_CHOICE)).decode(), reasons[span.span_id])
        for span in sorted(routes, key=lambda span: (span.start_ns, span.span_id))
    ]


def versions(source: Source, run: Conversation) -> Rows:
    found = Counter((span.service, span.resource.attributes.get("telemetry.sdk.version")) for span in run.spans)
    return sorted((*key, number) for key, number in found.items())


EXPECTED: dict[str, Callable[[Source, Conversation], Rows]] = {
    "Traces, newest first": newest,
    "Calls, tokens and cost by model": models,
    "The slowest tasks": slowest,
    "An attribute that has no column": temperatures,
    "Which task led to which, and how": causes,
    "Answers of models": answers,
    "Messages that were read most often": most_read,
    "Tool calls with arguments and results": tools,
    "Decisions and their reasons": decisions,
    "Versions that recorded, with their spans": versions,
}


@pytest.fixture(scope="module", params=["store", "imported"])
def source(
    request: pytest.FixtureRequest, recorded: dict[str, Recorded], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Source]:
    target = recorded["example team"].places["store"]
    if request.param == "imported":
        target = str(tmp_path_factory.mktemp("imported") / "runs.db")
        archive = recorded["example team"].places["archive"]
        assert CliRunner().invoke(cli, ["import", archive, "--store", target]).exit_code == 0
    with otel_mas.open(target) as opened:
        yield opened


def test_there_are_ten() -> None:
    assert list(QUERIES) == list(EXPECTED)
    assert len(QUERIES) == 10


@pytest.mark.parametrize("title", EXPECTED)
def test_a_query_answers_what_the_api_answers(title: str, source: Source, recorded: dict[str, Recorded]) -> None:
    run = recorded["example team"]
    rows = source.sql(QUERIES[title])

    assert list(rows) == EXPECTED[title](source, source.conversation(run.thread, run.service))
    assert rows
