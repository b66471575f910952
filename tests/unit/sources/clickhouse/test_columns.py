"""Many runs mined from ClickHouse, whose SQL gives no more than the columns, are those mined from a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.api import Source
from otel_mas.cli import cli
from otel_mas.report.json.query import ROWS
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
