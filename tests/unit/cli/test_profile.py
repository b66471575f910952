"""`otel-mas profile`, and timelines by `otel-mas export`: which runs, what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace

from otel_mas.cli import cli

Run = Callable[..., Result]


@pytest.fixture
def run(store: Path) -> Run:
    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--store", str(store)])

    return invoke


def test_one_run_has_a_heading_and_many_have_percentiles(run: Run) -> None:
    one = run("profile", "latest")
    many = run("profile", "--since", "2000-01-01")
    assert (one.exit_code, many.exit_code) == (0, 0)
    assert "trace" in one.stdout.splitlines()[0]
    assert many.stdout.startswith("2 runs, ")


def test_many_runs_are_those_of_the_filters(run: Run) -> None:
    every = json.loads(run("profile", "--since", "2000-01-01", "--json").stdout)
    of_agent = json.loads(run("profile", "--since", "2000-01-01", "--agent", "researcher", "--json").stdout)
    limited = run("profile", "--since", "2000-01-01", "--limit", "1")
    assert (every["runs"], of_agent["runs"]) == (2, 1)
    assert "only the newest 1 traces" in limited.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("profile", "latest", "--since", "1d"), "selects among many traces"),
        (("profile", "--conversation", "x", "--agent", "writer"), "selects among many traces"),
        (("profile", "--since", "soon"), "soon"),
        (("export", "latest", "--format", "speedscope", "--content"), "has no content"),
    ],
)
def test_what_contradicts_itself_is_refused(run: Run, words: tuple[str, ...], message: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert message in result.output


def test_every_trace_is_exported_for_a_viewer(run: Run, tmp_path: Path) -> None:
    flame, timeline = tmp_path / "all.json", tmp_path / "all.perfetto-trace"
    assert run("export", "--all", "--format", "speedscope", "-o", str(flame)).exit_code == 0
    done = run("export", "--all", "--format", "perfetto", "-o", str(timeline))
    assert "wrote" in done.stderr
    profiles = json.loads(flame.read_text())["profiles"]
    opens = [event for one in profiles for event in one["events"] if event["type"] == "O"]
    trace = Trace()
    trace.ParseFromString(timeline.read_bytes())
    begins = [packet for packet in trace.packet if packet.track_event.type == 1]
    assert len(opens) == len(begins) > 20
