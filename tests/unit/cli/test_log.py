"""`otel-mas log`."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from otel_mas.api import Source
from otel_mas.cli import cli


def log(store: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["log", "--store", str(store), *words])


def test_it_shows_a_run_under_its_heading(store: Path, team: ModuleType) -> None:
    done = log(store, "--conversation", team.THREAD)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("research_team · research-team · thread demo-1 · 2 traces")
    assert lines[2].split() == ["+0", "s", "research_team", "run", "starts"]
    assert any("supervisor#1" in line and "← user" in line and "user: Tides?" in line for line in lines)
    assert any("route → researcher" in line for line in lines)
    assert any("→ a person" in line and "Publish this?" in line for line in lines)


def test_json_is_an_entry_on_each_line(store: Path, team: ModuleType) -> None:
    found = [json.loads(line) for line in log(store, team.FIRST, "--json").stdout.splitlines()]
    assert [one["kind"] for one in found][:3] == ["run_start", "prompt", "answer"]
    prompt = found[1]
    assert (prompt["text"], prompt["sender"], prompt["task"]) == ("user: Tides?", "user", "supervisor#1")
    assert found[2]["missing"] == "content not kept"


def test_filters_add_up(store: Path, team: ModuleType) -> None:
    done = log(store, team.FIRST, "--json", "--kind", "prompt", "--kind", "route", "--agent", "supervisor")
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["prompt", "route"]
    assert len(log(store, team.FIRST, "--json", "--grep", "TIDES").stdout.splitlines()) == 1
    none = log(store, team.FIRST, "--grep", "nowhere")
    assert (none.stdout, none.stderr) == ("", "otel-mas: nothing matches\n")


def test_every_trace_of_a_time_is_shown_oldest_first(store: Path, team: ModuleType) -> None:
    done = log(store, "--since", "2026-11-21T00:00", "--json", "--kind", "run_start")
    assert [json.loads(line)["trace_id"] for line in done.stdout.splitlines()] == [team.FIRST, team.SECOND]
    text = log(store, "--since", "2026-11-21T00:00").stdout
    assert text.count("research_team · research-team") == 2


def test_only_traces_that_hold_the_text_are_read(
    store: Path, team: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    monkeypatch.setattr(
        Source, "trace", lambda self, trace_id, of=Source.trace: read.append(trace_id) or of(self, trace_id)
    )
    done = log(store, "--since", "2026-11-21T00:00", "--json", "--grep", "tides?")
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["prompt"]
    assert read == [team.FIRST]


def test_a_file_of_entries_is_private_and_whole(store: Path, team: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    done = log(store, team.FIRST, "--output", str(path))
    assert done.exit_code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == log(store, team.FIRST, "--json").stdout
    assert done.stderr.startswith("otel-mas: wrote ")


def test_a_packed_file_holds_the_same(store: Path, team: ModuleType, tmp_path: Path) -> None:
    import msgpack

    path = tmp_path / "log.msgpack"
    assert log(store, team.FIRST, "-o", str(path)).exit_code == 0
    with path.open("rb") as file:
        packed = list(msgpack.Unpacker(file))
    assert packed == [json.loads(line) for line in log(store, team.FIRST, "--json").stdout.splitlines()]


def test_the_ending_says_the_form_as_of_files_of_records(store: Path, team: ModuleType, tmp_path: Path) -> None:
    import gzip

    plain, packed, other = tmp_path / "log.msgpack", tmp_path / "log.mp.gz", tmp_path / "log.ndjson.gz"
    for path in (plain, packed, other):
        assert log(store, team.FIRST, "-o", str(path)).exit_code == 0
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert gzip.decompress(other.read_bytes()).decode() == log(store, team.FIRST, "--json").stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--kind", "promt"], "no entry is of kind 'promt': ask for run_start, "),
        (["--since", "1h", "latest"], "--since is every trace of that time"),
        (["-o", "log.csv"], "end its name in .jsonl or .msgpack"),
        (["--since", "soon"], "neither a duration nor a time"),
    ],
)
def test_what_cannot_be_is_refused(store: Path, words: list[str], message: str) -> None:
    done = log(store, *words)
    assert done.exit_code != 0
    assert message in done.stderr


def test_long_texts_are_folded_and_shown_whole_on_demand(store: Path, team: ModuleType, tmp_path: Path) -> None:
    def write(text: str) -> Path:
        builder = team.TraceBuilder(team.FIRST)
        tool = builder.tool("gauge", 11, 20, builder.task("tools", 10, 50, builder.workflow(0, 100, "ok")))
        tool._body = None
        tool.columns = {**tool.columns, "gen_ai.tool.call.result": text}
        return Path(team.write(tmp_path / "long.db", traces=[builder.trace()]))

    path = write("\n".join(f"line {number}" for number in range(9)))
    folded, whole = log(path, team.FIRST).stdout, log(path, team.FIRST, "--full").stdout
    assert "line 2" in folded
    assert "line 3" not in folded
    assert "… 6 more lines" in folded
    assert "line 8" in whole
