"""`otel-mas health`: tables, documents and exit codes, of recorded processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli
from otel_mas.store import StoreWriter
from otel_mas.store.own_figures import OwnFigures
from otel_mas.store.rows import Batch

Run = Callable[..., Result]


@pytest.fixture
def run(store: Path) -> Run:
    """`run("researcher")` on the team's store."""
    return lambda *words: CliRunner().invoke(cli, ["health", *words, "--store", str(store), "--window", "3650d"])


def test_agents_workflows_and_the_disk_have_a_row_each(run: Run) -> None:
    printed, document = run(), json.loads(run("--json").stdout)

    assert printed.exit_code == 0, printed.output
    assert printed.stdout.startswith("healthy: since ")
    assert "researcher" in printed.stdout
    assert "free" in printed.stdout
    assert [one["name"] for one in document["agents"]] == ["researcher"]
    assert document["workflows"][0]["completed"] > 0
    assert document["resources"][-1]["figures"]["total_bytes"] > 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("researcher",), 0),
        (("nobody",), 7),
        (("nobody", "--tolerate", "unknown"), 0),
        (("researcher", "--window", "nonsense"), 2),
        (("researcher", "--from", "/nowhere/at/all.db"), 1),
    ],
)
def test_the_exit_code_is_for_probes(words: tuple[str, ...], code: int, store: Path) -> None:
    given = words if "--from" in words else (*words, "--store", str(store))
    given = given if "--window" in words else (*given, "--window", "3650d")
    assert CliRunner().invoke(cli, ["health", *given]).exit_code == code


def test_a_recording_process_has_its_memory_and_its_queue(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    figures = OwnFigures(lambda: 7, 100, lambda: 0.75)
    writer = StoreWriter(
        path, instance_id=b"one", run_id=None, service="shop", max_bytes=0, max_age_ns=0, figures=figures,
        clock=iter(range(10**18, 2 * 10**18, 10**9)).__next__,
    )  # fmt: skip
    writer.write(Batch())
    writer.close()
    found = json.loads(CliRunner().invoke(cli, ["health", "--json", "--store", str(path), "--window", "36500d"]).stdout)

    figures_shown = found["resources"][0]["figures"]
    assert (figures_shown["queue_spans"], figures_shown["event_loop_lag_s"]) == (7, 0.75)
    assert figures_shown["rss_bytes"] > 10_000_000
    assert figures_shown["cpu"] >= 0
