"""Runs of LangSmith in Parquet, as its bulk export has them: the fields of its run format, structures as JSON text."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow
import pyarrow.parquet
import pytest

from otel_mas.errors import MissingExtra, SourceError
from otel_mas.model import Query, Trace
from otel_mas.semconv import attributes as names
from otel_mas.sources import open_source
from otel_mas.sources.exports.langsmith import LangSmithFile

DATA = Path(__file__).with_name("data")
RUNS = [json.loads(line) for line in (DATA / "langsmith.jsonl").read_text().splitlines()]
COLUMNS = (
    "id", "trace_id", "name", "run_type", "start_time", "end_time", "inputs", "outputs", "extra", "error",
    "dotted_order", "parent_run_id", "prompt_tokens", "completion_tokens", "total_cost",
)  # fmt: skip


def column(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_time"):
        return datetime.fromisoformat(value)
    return json.dumps(value) if isinstance(value, dict) else value


def written(path: Path, **changes: Callable[[Any], Any]) -> Path:
    rows = [{name: column(name, run.get(name)) for name in COLUMNS} for run in RUNS]
    for name, change in changes.items():
        for row in rows:
            row[name] = change(row[name])
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def read(path: Path) -> Trace:
    source = open_source(path)
    assert isinstance(source, LangSmithFile)
    (summary,) = source.traces(Query(limit=10))
    return source.trace(summary.trace_id)


def test_runs_in_parquet_are_those_in_json(tmp_path: Path) -> None:
    in_json, in_parquet = read(DATA / "langsmith.jsonl"), read(written(tmp_path / "runs.parquet"))

    assert [(one.span_id, one.parent_span_id, one.name, one.start_ns, one.end_ns) for one in in_parquet.spans] == [
        (one.span_id, one.parent_span_id, one.name, one.start_ns, one.end_ns) for one in in_json.spans
    ]
    assert [dict(one.attributes) for one in in_parquet.spans] == [dict(one.attributes) for one in in_json.spans]


def test_ids_may_be_sixteen_bytes_and_times_have_no_zone(tmp_path: Path) -> None:
    def binary(text: str | None) -> bytes | None:
        return None if text is None else UUID(text).bytes

    def naive(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment.replace(tzinfo=None)

    changes = dict.fromkeys(("id", "trace_id", "parent_run_id"), binary)
    path = written(tmp_path / "runs.parquet", **changes, start_time=naive, end_time=naive)

    assert [(one.span_id, one.start_ns) for one in read(path).spans] == [
        (one.span_id, one.start_ns) for one in read(DATA / "langsmith.jsonl").spans
    ]


def test_a_folder_of_a_bulk_export_is_read_together(tmp_path: Path) -> None:
    written(tmp_path / "part-0.parquet")
    (tmp_path / "manifest.json").write_text("{}")

    assert isinstance(open_source(tmp_path), LangSmithFile)


def test_the_cost_is_langsmiths(tmp_path: Path) -> None:
    spans = read(written(tmp_path / "runs.parquet", total_cost=lambda _: "0.25")).spans
    found = [one.attributes for one in spans if names.MAS_COST_USD in one.attributes]

    assert [(one[names.MAS_COST_USD], one[names.MAS_COST_SOURCE]) for one in found] == [(0.25, "LangSmith")]


@pytest.mark.parametrize(
    ("error", "status"), [("GraphInterrupt((Interrupt('ok?'),))", "UNSET"), ("ValueError('no')", "ERROR")]
)
def test_what_pauses_a_graph_is_no_error(error: str, status: str, tmp_path: Path) -> None:
    spans = read(written(tmp_path / "runs.parquet", error=lambda _: error)).spans

    assert {span.status.name for span in spans} == {status}
    assert {event.attributes[names.EXCEPTION_TYPE] for span in spans for event in span.events} == {error.split("(")[0]}


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "runs.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)

    with pytest.raises(MissingExtra, match=r"pip install 'otel-mas\[notebook\]'"):
        open_source(path)


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    path = written(tmp_path / "runs.parquet")
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"\xff" * 200 + whole[204:])

    with pytest.raises(SourceError, match=r"runs\.parquet is no file of LangSmith's runs"):
        open_source(path)
