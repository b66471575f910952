"""`otel-mas run --serve`: a page of the run while it runs, and until Ctrl-C."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_mas.cli.run_page import has_display
from otel_mas.doctor.server import Listener, address_of, ask_server
from tests.serving.server import Server

pytestmark = pytest.mark.slow

Start = Callable[..., "subprocess.Popen[str]"]
CLI = (sys.executable, "-c", "from otel_mas.cli import main; main()", "run", "--serve", "--no-open")
APP = """
import sys, otel_mas
@otel_mas.workflow
def flow():
    print("began", flush=True)
    sys.stdin.readline()
flow()
raise SystemExit({status})
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an app that waits for a line; the store is runs.db."""
    running: list[subprocess.Popen[str]] = []

    def begin(*options: str, listen: str = "127.0.0.1:0", status: int = 7, **environ: str) -> subprocess.Popen[str]:
        store = str(tmp_path / "runs.db")
        command = [*CLI, *options, "--listen", listen, "--store", store, "--", sys.executable, "-c", _app(status)]
        variables = {name: value for name, value in os.environ.items() if name != "CI"} | environ
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=variables))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def _app(status: int) -> str:
    return APP.format(status=status)


def line_with(process: subprocess.Popen[str], words: str) -> str:
    """The next line on stderr that has these words."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"no line with {words!r}")


def finish(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def traces(address: str, query: str) -> list[dict[str, Any]]:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", f"/api/v1/traces?{query}")
    found: list[dict[str, Any]] = json.load(connection.getresponse())["traces"]
    connection.close()
    return found


def test_the_run_is_shown_while_it_runs_and_until_ctrl_c_and_the_status_is_the_apps(
    start: Start, tmp_path: Path
) -> None:
    process = start()
    link = line_with(process, "live at").split()[-1]
    address, _, query = link.removeprefix("http://").partition("/?")
    assert process.stdout is not None
    assert process.stdout.readline() == "began\n"
    while not (found := traces(address, query)):
        pass
    assert found[0]["status"] == "running"
    finish(process)
    assert line_with(process, f"http://{address}/traces/{found[0]['trace_id']}").startswith("  http")
    line_with(process, f"the page stays at http://{address}; Ctrl-C ends it")
    assert traces(address, query)[0]["status"] == "ok"
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 7
    assert ask_server(address_of(address)).listener is Listener.NONE


def test_a_server_that_shows_the_store_already_is_used_and_left(start: Start, tmp_path: Path) -> None:
    with Server(tmp_path / "runs.db") as server:
        process = start(listen=server.page, status=3)
        assert f"http://{server.page}/?run=" in line_with(process, "live at")
        finish(process)
        assert process.wait(60) == 3
        assert ask_server(address_of(server.page)).shows(tmp_path / "runs.db")


def test_an_address_that_is_taken_is_one_line_and_the_app_does_not_run(start: Start, tmp_path: Path) -> None:
    with Server(tmp_path / "others.db") as server:
        output, errors = start(listen=server.page).communicate("\n")
        assert output == ""
        assert f"{server.page} is taken by an otel-mas serve that shows {tmp_path / 'others.db'}" in errors
        assert "--listen 127.0.0.1:0" in errors
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        output, errors = start(listen=address).communicate("\n")
    assert (output, f"{address} is taken by another program" in errors) == ("", True)


def test_an_address_beyond_this_machine_is_refused(start: Start) -> None:
    output, errors = start(listen="0.0.0.0:0").communicate("\n")
    assert (output, "can be reached from other machines" in errors) == ("", True)


def test_in_ci_it_ends_with_the_app(start: Start) -> None:
    process = start("--quiet", status=0, CI="true")
    assert "/?run=" in line_with(process, "live at")
    assert process.communicate("\n")[0] == "began\n"
    assert process.returncode == 0


def test_a_signal_that_ended_the_app_ends_the_server_too(start: Start) -> None:
    process = start()
    address = line_with(process, "live at").split("/")[2]
    assert process.stdout is not None
    assert process.stdout.readline() == "began\n"
    process.terminate()
    process.communicate()
    assert process.returncode == -signal.SIGTERM
    assert ask_server(address_of(address)).listener is Listener.NONE


def test_no_server_is_left_where_it_is_killed(start: Start) -> None:
    process = start()
    address = address_of(line_with(process, "live at").split("/")[2])
    process.kill()
    while ask_server(address).listener is not Listener.NONE:
        pass


def test_the_picture_is_opened_in_a_browser_once_the_run_has_begun(tmp_path: Path) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.new && mv {opened}.new {opened}\n')
    browser.chmod(0o755)
    code = f"import os, time\n{APP.replace('sys.stdin.readline()', _UNTIL)}".format(status=0)
    store = str(tmp_path / "runs.db")
    command = [one for one in CLI if one != "--no-open"]
    command += ["--listen", "127.0.0.1:0", "--store", store, "--", sys.executable, "-c", code, str(opened)]
    variables = {name: value for name, value in os.environ.items() if name not in ("CI", "SSH_CONNECTION")}
    variables |= {"BROWSER": str(browser), "DISPLAY": ":0"}
    process = subprocess.Popen(command, env=variables, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        address = line_with(process, "live at").split("/")[2]
        line_with(process, "the page stays")
        assert opened.read_text().startswith(f"http://{address}/traces/")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate()


_UNTIL = "\n    while not os.path.exists(sys.argv[1]): time.sleep(0.05)"


@pytest.mark.parametrize(
    ("environ", "shown"),
    [({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "w"}, True), ({}, False), ({"DISPLAY": ":0", "CI": "1"}, False)],
)
def test_a_browser_needs_a_display_and_no_ci(
    environ: dict[str, str], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert has_display(environ) is shown
