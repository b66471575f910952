"""ship, ship status, export and import as they are typed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli
from otel_mas.store.importing import import_spans
from tests.conformance.lunch import ASKING, EXPORTS, FOREIGN, PROCESSES, RESUMED, THREAD
from tests.conformance.messages import process, span, trace_id
from tests.unit.exporters.conftest import HttpAnswer, HttpServer

OTEL_MAS = [sys.executable, "-c", "from otel_mas.cli import main; main()"]
pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[HttpServer]:
    started = HttpServer().start()
    yield started
    started.stop()


@pytest.fixture
def lunch(tmp_path: Path) -> Path:
    """A store with the three traces of the conformance suite, all of which may be shipped."""
    import_spans(tmp_path / "runs.db", PROCESSES, may_ship=True)
    return tmp_path / "runs.db"


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)


def ship(store: Path, server: HttpServer, *more: str) -> Result:
    return run("ship", "--store", store, "--endpoint", server.url, *more)


def count(server: HttpServer) -> int:
    return sum(len(request.names) for request in server.requests)


def status(store: Path) -> dict[str, Any]:
    (found,) = json.loads(run("ship", "status", "--store", store, "--json").stdout)["destinations"]
    assert isinstance(found, dict)
    return found


def test_a_new_destination_starts_from_now_with_a_note(lunch: Path, server: HttpServer) -> None:
    result = ship(lunch, server, "--once")

    assert result.exit_code == 0
    assert "is new here: 15 spans of before stay, unless you say --from-start" in result.stderr
    assert count(server) == 0


def test_from_start_ships_all_and_a_second_time_nothing(lunch: Path, server: HttpServer) -> None:
    assert "shipped 15 spans to otlp+http:" in ship(lunch, server, "--once", "--from-start").stderr
    assert "shipped 0 spans" in ship(lunch, server, "--once", "--from-start").stderr
    import_spans(lunch, [process({}, [span(50, 1, "later", 0, 1)])], may_ship=True)
    assert "shipped 1 spans" in ship(lunch, server, "--once").stderr
    assert count(server) == 16


def test_again_sends_a_trace_or_a_time_once_more_and_leaves_the_cursor(lunch: Path, server: HttpServer) -> None:
    assert ship(lunch, server, "--once", "--from-start").exit_code == 0
    before = status(lunch)
    server.requests.clear()

    result = ship(lunch, server, "--again", "--trace", trace_id(ASKING))

    assert result.exit_code == 0
    assert f"sent again {count(server)} spans to otlp+http:" in result.stderr
    assert 0 < count(server) < 15
    assert "sent again 15 spans" in ship(lunch, server, "--again", "--since", "1d").stderr
    assert "sent again 0 spans" in ship(lunch, server, "--again", "--until", "2d").stderr
    rate = "spans_per_second"  # falls meanwhile
    assert {**status(lunch), rate: None} == {**before, rate: None}


@pytest.mark.parametrize(
    ("more", "output"),
    [
        (["--again"], "--again needs --since, --until or --trace"),
        (["--since", "1h"], "they need --again"),
        (["--again", "--trace", "xyz"], "is no trace id"),
        (["--again", "--trace", "ff", "--from-start"], "give one of them"),
    ],
)
def test_again_with_the_wrong_options_is_an_error(
    lunch: Path, server: HttpServer, more: list[str], output: str
) -> None:
    result = ship(lunch, server, *more)

    assert result.exit_code == 2
    assert output in result.stderr


def test_a_span_that_is_refused_is_named_in_the_status(lunch: Path, server: HttpServer) -> None:
    import_spans(lunch, [process({}, [span(50, 1, "poison", 0, 1)])], may_ship=True)
    server.answer = lambda request: HttpAnswer(503 if "poison" in request.names else 200)

    assert ship(lunch, server, "--once", "--from-start").exit_code == 0
    (refused,) = status(lunch)["rejections"]
    assert (refused["trace_id"], refused["name"]) == (trace_id(50), "poison")
    assert "answers 503" in refused["reason"]
    assert f"'poison' of trace {trace_id(50)}" in run("ship", "status", "--store", lunch).stdout


def test_what_was_refused_is_listed_and_sent_again(lunch: Path, server: HttpServer) -> None:
    import_spans(lunch, [process({}, [span(50, 1, "poison", 0, 1), span(51, 2, "venom", 0, 1)])], may_ship=True)
    server.answer = lambda request: HttpAnswer(400 if {"poison", "venom"} & {*request.names} else 200)
    assert ship(lunch, server, "--once", "--from-start").exit_code == 0
    assert (status(lunch)["rejected"], status(lunch)["set_aside"], status(lunch)["shipped"]) == (2, 2, 15)
    assert "set aside  2 of them: otel-mas ship retry" in run("ship", "status", "--store", lunch).stdout

    listed = run("ship", "retry", "--list", "--store", lunch)
    assert "2 spans are set aside" in listed.stderr
    assert f"'poison' of trace {trace_id(50)}" in listed.stdout
    server.requests.clear()
    server.answer = lambda request: HttpAnswer(400 if "venom" in request.names else 200)
    again = ["ship", "retry", "--store", str(lunch), "--endpoint", server.url]
    result = run(*again)

    assert result.exit_code == 1
    assert "1 accepted now, 1 refused again" in result.stderr
    assert f"'venom' of trace {trace_id(51)}" in result.stdout
    assert (status(lunch)["rejected"], status(lunch)["shipped"]) == (1, 16)
    server.answer = lambda request: HttpAnswer()
    (done,) = json.loads(run(*again, "--json").stdout)["destinations"]
    assert (done["accepted"], done["refused"], done["set_aside"]) == (1, 0, [])
    assert [name for request in server.requests for name in request.names] == ["poison", "venom", "venom"]


def test_one_of_several_destinations_that_is_down_holds_up_no_other(
    lunch: Path, server: HttpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otel_mas.cli.ship._TIMEOUT_S", 0.1)
    archive = tmp_path / "spans.jsonl"
    down = HttpServer(lambda request: HttpAnswer(503)).start()
    try:
        more = ("--endpoint", down.url, "--to", f"file:{archive}", "--once", "--from-start")
        result = ship(lunch, server, *more)
    finally:
        down.stop()

    assert result.exit_code == 1
    assert f"spans wait for otlp+http:{down.url}/v1/traces" in result.stderr.splitlines()[-1]
    assert f"spans wait for otlp+http:{server.url}" not in result.stderr
    assert count(server) == 15
    found = json.loads(run("ship", "status", "--store", lunch, "--json").stdout)["destinations"]
    assert {one["name"]: (one["shipped"], one["waiting"]) for one in found} == {
        f"otlp+http:{server.url}/v1/traces": (15, 0),
        f"otlp+http:{down.url}/v1/traces": (0, 15),
        f"file:{archive}": (15, 0),
    }


def test_a_destination_that_never_answers_holds_up_no_other(lunch: Path, server: HttpServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, since the system does so, and says nothing
        endpoints = ("--endpoint", f"http://127.0.0.1:{silent.getsockname()[1]}", "--endpoint", server.url)
        following = subprocess.Popen(
            [*OTEL_MAS, "ship", "--store", lunch, *endpoints, "--protocol", "http/protobuf", "--from-start"],
            env={**os.environ, "OTEL_EXPORTER_OTLP_TIMEOUT": "3000"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            deadline = time.monotonic() + 60
            while count(server) < 15:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            import_spans(lunch, [process({}, [span(50, 1, "later", 0, 1)])], may_ship=True)
            while count(server) < 16:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            following.send_signal(signal.SIGTERM)
            _, logged = following.communicate(timeout=60)
        finally:
            following.kill()

    assert following.returncode == 0, logged
    assert f"shipped 16 spans to otlp+http:{server.url}" in logged
    assert "shipped 0 spans to otlp+http:" in logged


def test_the_status_has_the_rate_of_the_last_minute(lunch: Path, server: HttpServer) -> None:
    assert ship(lunch, server, "--once", "--from-start").exit_code == 0

    assert 0 < status(lunch)["spans_per_second"] <= 15 / 60
    assert "spans a second over the last minute" in run("ship", "status", "--store", lunch).stdout


def test_a_server_that_is_down_fails_in_one_line_and_is_seen_in_the_status(
    lunch: Path, server: HttpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("otel_mas.cli.ship._TIMEOUT_S", 0.1)
    server.answer = lambda request: HttpAnswer(503)
    result = ship(lunch, server, "--once", "--from-start")

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("otel-mas: spans wait for otlp+http:")
    found = status(lunch)
    assert (found["waiting"], found["shipped"]) == (15, 0)
    assert "503" in found["error"]
    assert found["behind_seconds"] > 3000
    text = run("ship", "status", "--store", lunch).stdout
    assert "waiting    15, the oldest" in text
    assert "503" in text


def test_the_status_of_a_store_that_is_shipped_nowhere(lunch: Path) -> None:
    result = run("ship", "status", "--store", lunch)

    assert result.exit_code == 0
    assert "is shipped nowhere yet" in result.stderr
    assert json.loads(run("ship", "status", "--store", lunch, "--json").stdout) == {"destinations": []}


def test_wrong_settings_are_one_line(lunch: Path, tmp_path: Path) -> None:
    wrong = run("ship", "--store", lunch, "--endpoint", "localhost:4318", "--once")
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (2, 1)
    assert "neither http:// nor https://" in wrong.stderr
    none = run("ship", "--store", tmp_path / "none.db", "--once")
    assert none.exit_code == 1
    assert "there is no store" in none.stderr
    assert run("ship", "--store", lunch, "--to", "pigeon", "--once").exit_code == 2
    assert run("ship", "--store", lunch, "--to", "file", "--to", "pigeon", "--once").exit_code == 2


def test_a_file_as_destination(lunch: Path, tmp_path: Path) -> None:
    archive = tmp_path / "spans.jsonl"
    result = run("ship", "--store", lunch, "--to", f"file:{archive}", "--once", "--from-start")

    assert result.exit_code == 0
    assert archive.read_bytes().count(b'"spanId"') >= 15


def test_following_ships_new_spans_and_ends_in_order_on_a_signal(lunch: Path, server: HttpServer) -> None:
    words = [sys.executable, "-c", "from otel_mas.cli import main; main()", "ship", "--follow", "--from-start"]
    following = subprocess.Popen([*words, "--store", str(lunch), "--endpoint", server.url], env=dict(os.environ))
    try:
        _wait(lambda: count(server) == 15)
        import_spans(lunch, [process({}, [span(50, 1, "later", 0, 1)])], may_ship=True)
        _wait(lambda: count(server) == 16)
        following.send_signal(signal.SIGTERM)
        assert following.wait(120) == 0
    finally:
        following.kill()
    assert status(lunch)["shipping"] is False


def _wait(ready: Any) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def traces(store: Path) -> list[str]:
    found = json.loads(run("traces", "--store", store, "--json").stdout)["traces"]
    return [one["trace_id"] for one in found]


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_an_export_can_be_imported_once(lunch: Path, tmp_path: Path, name: str) -> None:
    exported = run("export", "--all", "--store", lunch, "-o", tmp_path / name)
    assert exported.exit_code == 0
    assert "wrote 15 spans of 3 traces" in exported.stderr
    other = tmp_path / "other.db"

    assert "imported 15 spans" in run("import", tmp_path / name, "--store", other).stdout
    assert "imported 0 spans" in run("import", tmp_path / name, tmp_path / name, "--store", other).stdout
    assert traces(other) == traces(lunch) == [trace_id(FOREIGN), trace_id(RESUMED), trace_id(ASKING)]


def test_one_trace_the_latest_or_a_conversation_is_exported(lunch: Path) -> None:
    def ids(*words: str) -> set[str]:
        lines = run("export", "--store", lunch, *words).stdout.splitlines()
        return {
            one["traceId"]
            for line in lines
            for process in json.loads(line)["resourceSpans"]
            for scope in process["scopeSpans"]
            for one in scope["spans"]
        }

    assert ids(trace_id(RESUMED)) == {trace_id(RESUMED)}
    assert ids() == {trace_id(FOREIGN)}
    assert ids("--conversation", THREAD) == {trace_id(ASKING), trace_id(RESUMED)}
    assert run("export", "--all", "latest", "--store", lunch).exit_code == 2
    assert run("export", "f" * 32, "--store", lunch).exit_code == 4


def test_content_is_exported_only_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "runs.db"
    import_spans(store, [process({}, [span(1, 1, "s", 0, 1, attributes={"input.value": "a secret"})])])

    assert "a secret" not in run("export", "--store", store).stdout
    assert "a secret" in run("export", "--store", store, "--content").stdout
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    assert "a secret" in run("export", "--store", store).stdout


def test_a_conversation_is_exported_as_one_trace_with_its_graph(lunch: Path, tmp_path: Path) -> None:
    file, other = tmp_path / "one.jsonl", tmp_path / "other.db"
    assert run("export", "--conversation", THREAD, "--one-trace", "--store", lunch, "-o", file).exit_code == 0
    run("import", file, "--store", other)

    def edges(store: Path) -> set[tuple[str, str, str]]:
        found = json.loads(run("graph", "--conversation", THREAD, "--store", store, "--json").stdout)["edges"]
        return {(one["cause"], one["effect"], one["kind"]) for one in found}

    assert traces(other) == [trace_id(ASKING)]
    assert edges(other) == edges(lunch)
    assert trace_id(RESUMED) not in file.read_text()
    assert run("export", "--one-trace", "--store", lunch).exit_code == 2


@pytest.mark.parametrize("form", ["jaeger", "zipkin"])
def test_an_export_for_another_ui_is_read_and_imported_again(lunch: Path, tmp_path: Path, form: str) -> None:
    """From a store with the content that it keeps apart, where that is asked for."""
    written = run("export", "--all", "--format", form, "--content", "--store", lunch, "-o", tmp_path / "out.json")
    assert written.exit_code == 0
    assert "wrote 15 spans" in written.stderr
    assert b"For seven" in (tmp_path / "out.json").read_bytes()

    assert "imported 15 spans" in run("import", tmp_path / "out.json", "--store", tmp_path / "other.db").stdout
    assert traces(tmp_path / "other.db") == traces(lunch)
    before, after = (
        json.loads(run("graph", "--conversation", THREAD, "--store", store, "--json").stdout)["edges"]
        for store in (lunch, tmp_path / "other.db")
    )
    assert after == before
    assert "For seven" not in run("export", "--all", "--format", form, "--store", lunch).stdout


def test_a_failed_export_leaves_the_old_file(lunch: Path, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("before")
    run("export", "f" * 32, "--store", lunch, "-o", tmp_path / "out.jsonl")

    assert (tmp_path / "out.jsonl").read_text() == "before"
    assert sorted(path.name for path in tmp_path.glob("*out*")) == ["out.jsonl"]


def test_the_whole_part_of_a_truncated_file_is_imported_and_one_line_names_the_place(tmp_path: Path) -> None:
    whole = b"".join(len(one).to_bytes(4, "big") + one for one in (export.SerializeToString() for export in EXPORTS))
    (tmp_path / "cut.pb").write_bytes(whole[:-10])
    result = run("import", tmp_path / "cut.pb", "--store", tmp_path / "s.db")

    assert result.exit_code == 0
    assert "imported 13 spans" in result.stdout
    where = "the file is cut in the middle: stopped in message 4; what is before it was read"
    assert result.stderr.splitlines() == [f"otel-mas: {tmp_path / 'cut.pb'}: {where}"]


def test_a_file_that_is_none_does_not_keep_the_others_out(lunch: Path, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("hello")
    run("export", "--all", "--store", lunch, "-o", tmp_path / "good.jsonl")
    result = run("import", tmp_path / "x.txt", tmp_path / "good.jsonl", "--store", tmp_path / "s.db")

    assert result.exit_code == 1
    assert "imported 15 spans" in result.stdout
    assert "is no OTLP file" in result.stderr


def test_imported_spans_stay_unless_they_may_be_shipped(tmp_path: Path, server: HttpServer, lunch: Path) -> None:
    run("export", "--all", "--store", lunch, "-o", tmp_path / "out.jsonl")
    stays, leaves = tmp_path / "stays.db", tmp_path / "leaves.db"
    run("import", tmp_path / "out.jsonl", "--store", stays)
    run("import", "--may-ship", tmp_path / "out.jsonl", "--store", leaves)

    ship(stays, server, "--once", "--from-start")
    assert count(server) == 0
    assert status(stays)["held_back"] == 15
    ship(leaves, server, "--once", "--from-start")
    assert count(server) == 15


@pytest.mark.parametrize(("form", "name"), [("records", "a.jsonl.gz"), ("records-msgpack", "a.msgpack")])
def test_records_are_exported_from_any_source_and_are_one(lunch: Path, tmp_path: Path, form: str, name: str) -> None:
    archive, records = tmp_path / "archive.jsonl", tmp_path / name
    run("export", "--all", "--store", lunch, "-o", archive)

    exported = run("export", "--all", "--format", form, "--from", archive, "-o", records)

    assert exported.exit_code == 0, exported.output
    assert "records to" in exported.stderr
    for command in ("traces", "graph"):
        assert run(command, "--from", records).stdout == run(command, "--from", archive).stdout


def test_records_have_content_only_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("export", "--store", tmp_path / "runs.db", "--format", "records")
    import_spans(words[2], [process({}, [span(1, 1, "s", 0, 1, attributes={"input.value": "a secret"})])])

    assert "a secret" not in run(*words).stdout
    assert "a secret" in run(*words, "--content").stdout
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    assert "a secret" in run(*words).stdout


def test_otlp_comes_from_a_store_only(tmp_path: Path) -> None:
    result = run("export", "--from", "jaeger+http://localhost:1")

    assert result.exit_code == 2
    assert "--format records" in result.stderr
