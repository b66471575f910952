"""Many runs mined from ClickHouse, whose SQL gives no more than the columns, are those mined from a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.api import Source
from otel_mas.cli import cli
from otel_mas.model import Resource, Scope, Span, SpanBody
from otel_mas.report.json.query import ROWS
from otel_mas.semconv import attributes as names
from tests.backends.clickhouse import ClickHouse, insert
from tests.unit.sources.clickhouse.test_source import TABLES

ARCHIVES = {path.name.partition(".")[0]: path for path in (Path(__file__).parents[3] / "answers").glob("*.jsonl.gz")}
QUESTIONS: Mapping[str, Callable[[Source], Any]] = {
    "topology": lambda source: source.topology(),
    "nodes": lambda source: source.topology().nodes,
    "variants": lambda source: source.variants(),
    "variants with loops": lambda source: source.variants(loops=True),
    "rare paths": lambda source: source.rare_paths(below=0.6),
    "hot spots": lambda source: source.hot_spots(),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    with ClickHouse(tmp_path_factory.mktemp("clickhouse")) as made:
        for table, archive in ARCHIVES.items():
            for statement in TABLES:
                made.execute(statement.format(table=table))
            with otel_mas.open(archive) as source:
                for one in source.traces(limit=1000):
                    insert(made, table, source.trace(one.trace_id).spans)
        yield made


@pytest.mark.parametrize("name", sorted(ARCHIVES))
def test_the_answers_are_those_of_a_store(name: str, server: ClickHouse, tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    assert CliRunner().invoke(cli, ["import", str(ARCHIVES[name]), "--store", str(store)]).exit_code == 0

    with otel_mas.open(store) as here, otel_mas.open(f"clickhouse://{server.address}/default/{name}") as there:
        for question in QUESTIONS:
            assert _rows(question, there) == _rows(question, here), question
        assert here.topology()


def test_traces_that_are_gone_are_left_out(server: ClickHouse) -> None:
    with otel_mas.open(f"clickhouse://{server.address}/default/newsdesk") as source:
        (there,) = source.traces()
        found = source._port.columns_of(["0" * 32, there.trace_id, "f" * 32])  # type: ignore[attr-defined]

        assert [trace.trace_id for trace in found] == [there.trace_id]


def _rows(question: str, source: Source) -> list[object]:
    answer = QUESTIONS[question](source)
    assert answer.incomplete is None
    return [ROWS[answer.name](one) for one in answer]


FOREIGN = {
    "openinference.span.kind": "AGENT",
    "llm.model_name": "small",
    "metadata": '{"langgraph_step": 1, "langgraph_node": "plan", "langgraph_checkpoint_ns": "plan:1"}',
}


def test_traces_of_other_instrumentation_and_long_arrays_are_read_whole_and_others_are_not(server: ClickHouse) -> None:
    def span(trace: str, attributes: dict[str, str], scope: str = "otel_mas") -> Span:
        body = SpanBody(attributes={"large": "x" * 1000, **attributes})
        made = Span(trace, "b" * 16, None, "made", 10**18, 10**18 + 5, scope=Scope(scope), service="apps", _body=body)
        return replace(made, resource=Resource({"service.name": "apps"}))

    traces = {
        "ours": span("1" * 32, {names.MAS_RECORD_KIND: "AGENT_TASK", names.GEN_AI_USAGE_INPUT_TOKENS: "7"}),
        "foreign": span("2" * 32, FOREIGN, "openinference.instrumentation.langchain"),
        "http": span("3" * 32, {"http.request.method": "GET"}, "http"),
        "parts": span("4" * 32, {f"{names.MAS_PART}.{names.MAS_CAUSE_REFS}.1": '["trigger|task|a"]'}),
    }
    for statement in TABLES:
        server.execute(statement.format(table="mixed"))
    insert(server, "mixed", [*traces.values(), traces["ours"]])

    with otel_mas.open(f"clickhouse://{server.address}/default/mixed") as source:
        port: Any = source._port
        found = {one.trace_id[0]: one.spans for one in port.columns_of([one.trace_id for one in traces.values()])}
        expected = {one.trace_id[0]: port.trace(one.trace_id).spans for one in traces.values()}

    assert ["large" in found[number][0].attributes for number in "1234"] == [False, True, False, True]
    for number in "1234":
        assert dict(found[number][0].columns) == dict(expected[number][0].columns)
    assert len(found["1"]) == 1
