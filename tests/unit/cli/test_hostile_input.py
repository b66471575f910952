"""Hostile input to a command ends in one line: odd servers, odd paths, deep traces."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli
from otel_mas.cli.failures import reported
from otel_mas.store.connection import open_for_reading
from otel_mas.store.upkeep import check


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(2**16)
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def text(status: str, body: bytes, length: str) -> bytes:
    return f"HTTP/1.1 {status}\r\n{length}\r\n\r\n".encode("latin-1") + body


LENGTHS = {
    "no number": "Content-Length: abc",
    "superscript": "Content-Length: \xb2",
    "negative": "Content-Length: -5",
    "5,000 digits": "Content-Length: " + "9" * 5000,
    "too large": "Content-Length: 999999999999",
    "two": "Content-Length: 2\r\nContent-Length: 3",
}


@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
@pytest.mark.parametrize("scheme", ["jaeger+http", "tempo+http"])
def test_an_odd_length_of_an_answer_is_one_line(scheme: str, length: str) -> None:
    with server(text("200 OK", b"{}", length)) as port:
        done = run("traces", "--from", f"{scheme}://127.0.0.1:{port}")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("body", [b"[" * 50_000, b'{"error":' * 50_000], ids=["lists", "objects"])
def test_a_deep_error_is_one_line(body: bytes) -> None:
    with server(text("500 Broken", body, f"Content-Length: {len(body)}")) as port:
        done = run("traces", "--from", f"tempo+http://127.0.0.1:{port}")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("path", ["x" * 5000, "pipe", "/dev/null", "."])
def test_a_path_that_is_no_file_is_one_line(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    done = run("traces", "--store", path)
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_report_of_a_deep_trace_is_made(tmp_path: Path) -> None:
    spans = [
        {
            "traceId": "b" * 32,
            "spanId": f"{number:016x}",
            "parentSpanId": f"{number - 1:016x}" if number > 1 else "",
            "name": f"n{number}",
            "startTimeUnixNano": str(10**18 + number),
            "endTimeUnixNano": str(10**18 + 10**9 - number),
        }
        for number in range(1, 2001)
    ]
    (tmp_path / "deep.json").write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    done = run("report", "--from", f"otlp+file://{tmp_path}/deep.json", "-o", str(tmp_path / "page.html"))
    assert done.exit_code == 0, done.output
    assert "nested more than 20 deep" in (tmp_path / "page.html").read_text()


def test_a_path_that_is_not_utf8_names_a_store_like_any_other(tmp_path: Path, store: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.db")
    os.rename(store, path)
    for words in (("traces",), ("store", "stats"), ("store", "check"), ("store", "repair")):
        result = run(*words, "--store", path)
        assert (result.exit_code, type(result.exception)) == (0, type(None)), (words, result.output)


@pytest.mark.parametrize(
    "words",
    [
        ("traces", "--store", "{}"),
        ("traces", "--from", "checkpoints+sqlite://{}"),
        ("store", "repair", "--store", "{}"),
        ("store", "compact", "--store", "{}"),
    ],
    ids=" ".join,
)
def test_a_path_that_is_too_long_is_one_short_line(words: tuple[str, ...]) -> None:
    result = run(*(word.format("x" * 5000) for word in words))
    assert result.exit_code == 1
    assert "too long" in result.stderr
    assert len(result.stderr) < 400, result.stderr


def test_repair_into_a_path_that_is_too_long_is_one_short_line(store: Path) -> None:
    result = run("store", "repair", "--store", str(store), "--into", "x" * 5000)
    assert (result.exit_code, len(result.stderr) < 400) == (1, True), result.stderr


def test_repair_and_compact_name_a_path_that_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for command in ("repair", "compact"):
        assert "is a pipe, a socket or a device" in run("store", command, "--store", str(tmp_path / "fifo")).stderr
        assert "is a folder" in run("store", command, "--store", str(tmp_path)).stderr


@pytest.mark.parametrize("words", [("--store", ""), ("--into", "")])
def test_an_empty_path_is_refused(words: tuple[str, ...]) -> None:
    result = run("store", "repair", *words)
    assert (result.exit_code, "it is empty" in result.stderr) == (2, True), result.stderr


def test_an_error_is_reported_where_looking_for_damage_fails_too(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> None:
        raise ValueError("no")

    open_for_reading(store).close()
    monkeypatch.setattr(check, "check", fail)
    with pytest.raises(click.exceptions.Exit) as ended, reported(click.Context(cli)):
        raise KeyError("first")
    assert ended.value.exit_code == 70
    assert "KeyError: 'first'" in capsys.readouterr().err
