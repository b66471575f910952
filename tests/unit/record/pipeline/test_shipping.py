"""Shipping from inside an app: from the first commit, past forks, to a bounded exit; each test in its own process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_mas.store.log_reader import DestinationStatus, LogReader
from tests.unit.exporters.conftest import HttpAnswer, HttpServer

pytestmark = pytest.mark.slow

# From 3.12 on Python says so wherever a process forks that has another thread, such as the one that writes.
FORKS = "-Wignore:This process:DeprecationWarning"
APP = """
import os, sys, threading, time
from otel_mas.config import Settings
from otel_mas.record import lifecycle, recorder
rec = recorder()
def start():
    lifecycle.start(Settings.from_env(content="redacted"))
def span(name):
    rec.start_span(name, {}).end()
def shippers():
    return [thread.name for thread in threading.enumerate() if "shipper" in thread.name]
def wait_until_shipped():
    import sqlite3
    end = time.monotonic() + 30
    found = sqlite3.connect("runs.db")
    while not any(shipped for shipped, in found.execute("SELECT shipped FROM destinations")) and time.monotonic() < end:
        time.sleep(0.05)
    found.close()
"""


@pytest.fixture
def server() -> Iterator[HttpServer]:
    started = HttpServer().start()
    yield started
    started.stop()


def run(folder: Path, url: str, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {
        "OTEL_MAS_STORE": str(folder / "runs.db"),
        "OTEL_MAS_EXPORT": "otlp",
        "OTEL_MAS_STRICT": "1",
        "OTEL_MAS_EXIT_TIMEOUT": "30",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "PYTHONPATH": str(Path(__file__).parents[4]),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, FORKS, "-c", APP + textwrap.dedent(code)],
        cwd=folder,
        env={**inherited, **given, **environ},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def succeeded(result: subprocess.CompletedProcess[str]) -> str:
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def arrived(server: HttpServer) -> list[str]:
    return sorted(name for request in server.requests for name in request.names)


def status(folder: Path) -> DestinationStatus:
    reader = LogReader(folder / "runs.db")
    try:
        (found,) = reader.destinations()
        return found
    finally:
        reader.close()


def test_a_short_program_ships_all_before_it_ends(tmp_path: Path, server: HttpServer) -> None:
    succeeded(run(tmp_path, server.url, "start(); span('a'); span('b')"))

    assert arrived(server) == ["a", "b"]
    assert (status(tmp_path).shipped, status(tmp_path).waiting, status(tmp_path).shipping) == (2, 0, False)


def test_a_long_one_ships_while_it_runs(tmp_path: Path, server: HttpServer) -> None:
    out = succeeded(
        run(
            tmp_path,
            server.url,
            """
            start()
            print(shippers(), flush=True)
            span("a")
            lifecycle.flush(30)
            print(shippers(), flush=True)
            wait_until_shipped()
            os._exit(0)  # nothing more is done
            """,
        )
    )

    assert out.splitlines() == ["[]", "['otel-mas shipper']"]
    assert arrived(server) == ["a"]


def test_without_the_setting_nothing_is_shipped_and_nothing_is_loaded(tmp_path: Path, server: HttpServer) -> None:
    code = "start(); span('a'); lifecycle.flush(30); print(shippers(), [m for m in sys.modules if 'exporters' in m])"

    assert succeeded(run(tmp_path, server.url, code, OTEL_MAS_EXPORT="")) == "[] []\n"
    assert server.requests == []


def test_unaccepted_spans_wait_for_the_next_process(tmp_path: Path, server: HttpServer) -> None:
    down = run(tmp_path, "http://127.0.0.1:1", "start(); span('a')", OTEL_MAS_EXPORT=f"otlp:{server.url}")
    assert down.returncode == 0
    server.answer = lambda request: HttpAnswer(503)
    failed = run(tmp_path, server.url, "start(); span('b')")
    assert "503" in failed.stderr
    assert "otel-mas ship" in failed.stderr
    server.answer = lambda request: HttpAnswer()
    server.requests.clear()
    succeeded(run(tmp_path, server.url, "start(); span('c')"))

    assert arrived(server) == ["b", "c"]


def _sleep(handler: Any) -> bool:
    time.sleep(50)
    return True


def test_a_server_that_hangs_does_not_keep_the_app_from_ending(tmp_path: Path, server: HttpServer) -> None:
    server.answer = lambda request: HttpAnswer(before=_sleep)
    result = run(tmp_path, server.url, "start(); span('a'); lifecycle.flush(30)", OTEL_MAS_EXIT_TIMEOUT="1")

    assert result.returncode == 0
    assert status(tmp_path).waiting == 1  # so it ended before the server answered


def test_a_forked_child_is_shipped_by_its_parent(tmp_path: Path, server: HttpServer) -> None:
    succeeded(
        run(
            tmp_path,
            server.url,
            """
            start()
            span("parent")
            lifecycle.flush(30)
            time.sleep(0.5)
            child = os.fork()
            if child == 0:
                span("child")
                assert lifecycle.shutdown(30)
                assert shippers() == []
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            """,
        )
    )

    assert arrived(server) == ["child", "parent"]


def test_children_forked_before_the_first_span_ship_themselves(tmp_path: Path, server: HttpServer) -> None:
    succeeded(
        run(
            tmp_path,
            server.url,
            """
            start()
            children = []
            for number in range(3):
                child = os.fork()
                if child == 0:
                    span(f"child {number}")
                    lifecycle.shutdown(10)
                    os._exit(0)
                children.append(child)
            for child in children:
                os.waitpid(child, 0)
            span("parent")
            """,
        )
    )

    assert arrived(server) == ["child 0", "child 1", "child 2", "parent"]


def test_a_setting_that_is_wrong_is_logged_once_and_the_app_is_recorded(tmp_path: Path) -> None:
    result = run(tmp_path, "nowhere", "start(); span('a'); lifecycle.flush(30); span('b')")

    assert result.returncode == 0
    assert result.stderr.count("this process does not ship") == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in result.stderr
    result = run(tmp_path, "", "start(); span('a')", OTEL_MAS_EXPORT="pigeon")
    assert "there is no destination 'pigeon'" in result.stderr


STOCK = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter({endpoint})))
trace.set_tracer_provider(provider)
start()
recorder()
span("a")
"""


def test_where_the_app_exports_itself_nothing_arrives_twice_and_that_is_logged(
    tmp_path: Path, server: HttpServer
) -> None:
    result = run(tmp_path, server.url, STOCK.format(endpoint=""))

    assert result.returncode == 0
    assert arrived(server) == ["a"]
    assert result.stderr.count("the app sends its spans to") == 1
    assert status(tmp_path).exported_by_app == 1


def test_another_process_does_not_ship_what_the_app_exports_either(tmp_path: Path, server: HttpServer) -> None:
    run(tmp_path, server.url, STOCK.format(endpoint=""), OTEL_MAS_EXPORT="")
    succeeded(run(tmp_path, server.url, "start(); span('b')"))
    before = list(arrived(server))
    otel_mas = [
        sys.executable,
        "-c",
        "from otel_mas.cli import main; main()",
        "ship",
        "--once",
        "--from-start",
        "--endpoint",
        server.url,
    ]
    subprocess.run(otel_mas, env={**os.environ, "OTEL_MAS_STORE": str(tmp_path / "runs.db")}, check=False)

    assert before == ["a", "b"]
    assert arrived(server) == before


def test_an_exporter_to_another_server_keeps_nothing_from_being_shipped(tmp_path: Path, server: HttpServer) -> None:
    other = HttpServer().start()
    try:
        endpoint = f"'{other.url}/v1/traces'"
        succeeded(run(tmp_path, server.url, STOCK.format(endpoint=endpoint)))
        assert (arrived(server), arrived(other)) == (["a"], ["a"])
    finally:
        other.stop()


def test_an_archive_is_written_by_the_app_too(tmp_path: Path) -> None:
    archive = tmp_path / "archive" / "spans.jsonl"
    succeeded(run(tmp_path, "", "start(); span('a')", OTEL_MAS_EXPORT=f"file:{archive}"))

    assert archive.read_bytes().count(b'"name":"a"') == 1


def test_shipping_is_not_traced(tmp_path: Path, server: HttpServer) -> None:
    code = """
    import urllib.request
    from opentelemetry import context
    opened = urllib.request.OpenerDirector.open
    def watched(*args, **kwargs):
        assert context.get_value("suppress_instrumentation")
        return opened(*args, **kwargs)
    urllib.request.OpenerDirector.open = watched
    start()
    span("a")
    """
    succeeded(run(tmp_path, server.url, code))

    assert arrived(server) == ["a"]


def test_spans_in_a_new_store_are_shipped_as_well(tmp_path: Path, server: HttpServer) -> None:
    result = run(
        tmp_path,
        server.url,
        """
        start(); span("before"); lifecycle.flush(10)
        wait_until_shipped()
        os.unlink("runs.db")
        span("after"); lifecycle.flush(10)
        """,
    )

    assert result.returncode == 0
    assert arrived(server) == ["after", "before"]
    assert (status(tmp_path).shipped, status(tmp_path).waiting) == (1, 0)
