"""The diff of two recorded runs on the handles and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.analyse.diff import Change
from otel_mas.api import Source, Trace
from otel_mas.cli import cli
from otel_mas.errors import UnsupportedQuery
from tests.answers.record_two_runs import ARCHIVE, CLOSED

SAME = {"run:travel desk#1", "plan#1/route <lambda>#1", "find#1", "find#1/tool:look_up#1"}


@pytest.fixture(scope="module")
def source() -> Iterator[Source]:
    with otel_mas.open(ARCHIVE) as source:
        yield source


@pytest.fixture(scope="module")
def runs(source: Source) -> tuple[Trace, Trace]:
    newest, before = source.traces(limit=2)
    return source.trace(before.trace_id), source.trace(newest.trace_id)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("diff") / "runs.db"
    assert CliRunner().invoke(cli, ["import", str(ARCHIVE), "--store", str(path)]).exit_code == 0
    return path


def test_what_a_version_of_an_app_does_otherwise(runs: tuple[Trace, Trace]) -> None:
    found = runs[0].diff(runs[1])

    changed = {step.label: {change.value for change in step.changes} for step in found.differing}
    assert {label for label, changes in changed.items() if changes == {"added"}} == {"find#2", "find#2/tool:look_up#1"}
    assert {label for label, changes in changed.items() if changes == {"removed"}} == {"review#1", "review#1/model#1"}
    assert not SAME & set(changed)
    hotels = next(step for step in found.steps if step.after == CLOSED)
    assert hotels.a is not None
    assert (hotels.a.label, hotels.label) == ("find#2/tool:look_up#1", "find#3/tool:look_up#1")
    assert found.first_divergence is not None
    assert found.first_divergence.label == "plan#1/model#1"
    assert found.causes_gone == (("write#1", "review#1"),)
    assert found.summary.startswith("2 steps added, 2 removed, 1 asked differently, 6 answered differently")


def test_a_store_and_a_file_of_the_same_run_are_the_same(runs: tuple[Trace, Trace], store: Path) -> None:
    with otel_mas.open(store) as other:
        found = runs[1].diff(other.trace(runs[1].trace_id))

        assert found.same
        assert len(found.steps) == 14


def test_it_is_a_table_a_document_a_page_and_notebook_output(runs: tuple[Trace, Trace]) -> None:
    found = runs[0].diff(runs[1])

    table = found.to_pandas()
    assert len(table) == len(found.steps)
    assert list(table[table["label"] == "review#1"]["changes"]) == [["removed"]]
    document: dict[str, Any] = found.to_json()
    assert json.loads(json.dumps(document)) == document
    first = document["steps"][document["first_divergence"]]
    assert (first["label"], first["a"]["output"]) == ("plan#1/model#1", "Look up trains, hotels, weather.")
    assert document["steps"][document["divergences"][0]]["follows_from"] == document["first_divergence"]
    for page in (found.to_html(), found._repr_html_()):
        assert CLOSED in page
        assert found.summary.split(";")[0] in page
    assert repr(found) == f"<Diff {found.summary}>"


def test_limits_decide_what_is_slower(runs: tuple[Trace, Trace]) -> None:
    assert Change.SLOWER in runs[0].diff(runs[1]).counts
    assert Change.SLOWER not in runs[0].diff(runs[1], least="1h").counts
    for wrong in ({"ratio": 0.5}, {"least": "soon"}, {"least_usd": -1}):
        with pytest.raises(UnsupportedQuery):
            runs[0].diff(runs[1], **wrong)  # type: ignore[arg-type]


def test_the_command_compares_the_latest_with_the_one_before_it(store: Path, runs: tuple[Trace, Trace]) -> None:
    done = CliRunner().invoke(cli, ["diff", "--store", str(store)])

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith("2 steps added, 2 removed")
    assert f"   - {'The Harbour Inn has rooms from 80 EUR.'}" in done.stdout
    assert f"   + {CLOSED}" in done.stdout
    document = json.loads(CliRunner().invoke(cli, ["diff", "--store", str(store), "--json"]).stdout)
    assert document == runs[0].diff(runs[1]).to_json()


def test_the_exit_code_tells_whether_something_differs(store: Path, runs: tuple[Trace, Trace]) -> None:
    before, after = (run.trace_id for run in runs)
    command = ["diff", "--store", str(store), "--exit-code"]

    assert CliRunner().invoke(cli, [*command, before, after]).exit_code == 1
    assert CliRunner().invoke(cli, [*command, after, after[:12]]).exit_code == 0
    assert CliRunner().invoke(cli, [*command, after, "latest", "--against", str(ARCHIVE)]).exit_code == 0
    assert CliRunner().invoke(cli, [*command, before, "0" * 32]).exit_code == 4


def test_a_page_is_written(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "diff.html"

    done = CliRunner().invoke(cli, ["diff", "--store", str(store), "-o", str(file)])

    assert done.exit_code == 0
    assert CLOSED in file.read_text()


def test_a_page_for_standard_output_comes_alone(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(cli, ["diff", "--store", str(store), "-o", "-"])

    assert done.exit_code == 0
    assert done.stdout.lower().startswith("<!doctype html>")
    assert done.stdout.rstrip().endswith("</html>")
    assert list(tmp_path.iterdir()) == []


def test_one_run_alone_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    newsdesk = ARCHIVE.with_name("newsdesk.jsonl.gz")

    done = CliRunner().invoke(cli, ["diff", "--from", str(newsdesk)])

    assert done.exit_code == 2
    assert "one trace only" in done.stderr


def test_sets_of_runs_are_compared_step_by_step() -> None:
    versions = ({"service.version": "1.1"}, {"service.version": "1.2"})
    archive = ARCHIVE.with_name("two_versions.jsonl.gz")
    with otel_mas.open(archive) as source, otel_mas.open(archive) as other:
        found = source.diff(before={"attribute": versions[0]}, after={"attribute": versions[1]})
        apart = source.diff(before={"attribute": versions[0]}, after={"attribute": versions[1]}, against=other)

        assert found == apart
        with pytest.raises(UnsupportedQuery, match="no run in common"):
            source.diff(before={}, after={"attribute": versions[1]})
    assert {step.label: [*step.changes] for step in found.differing} == {
        "run:letters#1": [Change.SLOWER],
        "draft#1": [Change.SLOWER],
    }
    assert found.summary.startswith("20 runs and 20: 2 steps slower; +")
    assert list(found.to_pandas()["share_after"]) == [1.0] * 4
    for page in (found.to_html(), found._repr_html_()):
        assert "draft#1" in page
    command = ["diff", "--from", str(archive), "--before", "service.version=1.1", "--after", "service.version=1.2"]
    assert json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout) == found.to_json()
    done = CliRunner().invoke(cli, [*command, "--exit-code"])
    assert (done.exit_code, done.stdout.splitlines()[0]) == (1, found.summary)
    assert CliRunner().invoke(cli, [*command[:5]]).exit_code == 2
