"""What a command is given by others ends in one line: odd servers, odd paths, deep traces."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli


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


def said(status: str, body: bytes, length: str) -> bytes:
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
    with server(said("200 OK", b"{}", length)) as port:
        done = run("traces", "--from", f"{scheme}://127.0.0.1:{port}")
    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("body", [b"[" * 50_000, b'{"error":' * 50_000], ids=["lists", "objects"])
def test_a_deep_error_is_one_line(body: bytes) -> None:
    with server(said("500 Broken", body, f"Content-Length: {len(body)}")) as port:
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
