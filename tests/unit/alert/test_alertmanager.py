"""A real Alertmanager, Debian's, is told of what fires and of what is over."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_mas.alert.alerts import Alert
from otel_mas.alert.notify.delivery import tell_alertmanager
from otel_mas.alert.receivers import Receiver
from otel_mas.alert.state import StateFile
from tests.debian_programs import debian_program
from tests.unit.alert.receiving import receiving
from tests.unit.alert.test_notify import MINUTE, breach

_CONFIG = """
route: {receiver: page, group_wait: 0s, group_interval: 1s, group_by: [alertname]}
receivers:
- name: page
  webhook_configs: [{url: "%s"}]
"""
_WAIT_S = 60.0
_TEMPLATES = b"/usr/share/prometheus/alertmanager"


@pytest.fixture
def alertmanager(surroundings: dict[str, str], tmp_path: Path) -> Iterator[tuple[str, list[Any]]]:
    """Its address, and what it sent to its own receiver."""
    program = debian_program("prometheus-alertmanager", "prometheus-alertmanager", surroundings)
    with receiving() as page:
        program = _movable(program, tmp_path)
        (tmp_path / "am.yml").write_text(_CONFIG % page.url)
        port = _free_port()
        command = [program, "--config.file=am.yml", "--storage.path=data", f"--web.listen-address=127.0.0.1:{port}"]
        with (tmp_path / "log").open("wb") as log:
            running = subprocess.Popen([*command, "--cluster.listen-address="], cwd=tmp_path, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _until(lambda: _get(f"{url}/-/ready") is not None or running.poll() is not None)
            assert running.poll() is None, (tmp_path / "log").read_text()
            yield url, page.got
        finally:
            running.terminate()
            running.wait(_WAIT_S)


def test_an_alert_fires_and_is_over_in_alertmanager(alertmanager: tuple[str, list[Any]], tmp_path: Path) -> None:
    url, paged = alertmanager
    receiver = Receiver.model_validate({"name": "am", "type": "alertmanager", "url": url})
    now_ns = time.time_ns()
    with StateFile(tmp_path / "runs.db.alerts") as state:
        state.update([breach()], now_ns - 6 * MINUTE)
        firing = state.update([breach()], now_ns)
        for _ in range(2):  # each check tells it of all: it knows which it has
            assert tell_alertmanager(receiver, firing, now_ns, 240.0) is None
        (shown,) = json.loads(_until(lambda: _get(f"{url}/api/v2/alerts")))
        assert shown["labels"] == {
            "alertname": "ToolFailureRatio", "severity": "warning", "gen_ai_tool_name": "search"
        }  # fmt: skip
        assert shown["annotations"]["summary"] == "More than 20 % of the calls of tool search failed."
        assert shown["status"]["state"] == "active"
        _until(lambda: paged)

        over = state.update([], time.time_ns())
        assert tell_alertmanager(receiver, over, time.time_ns(), 240.0) is None
        _until(lambda: len(paged) > 1)
    assert [body["status"] for _, body in paged] == ["firing", "resolved"]


def test_a_pending_alert_is_not_sent_and_one_that_is_down_is_a_problem() -> None:
    receiver = Receiver.model_validate(
        {"name": "am", "type": "alertmanager", "url": f"http://127.0.0.1:{_free_port()}"}
    )
    with StateFile(None) as state:
        pending = state.update([breach()], 0)
        assert tell_alertmanager(receiver, pending, 0, 240.0) is None
        firing: Any = state.update([breach()], 6 * MINUTE)
        problem = tell_alertmanager(receiver, firing, 6 * MINUTE, 240.0)
    assert isinstance(firing[0], Alert)
    assert problem is not None
    assert problem.reason == "it cannot be reached: Connection refused"


def _movable(program: Path, folder: Path) -> Path:
    """A copy that looks for its templates in the folder that it runs in: Debian's has their absolute path inside."""
    parts = program.parents[1] / "share" / "prometheus" / "alertmanager"
    for template in parts.glob("*.tmpl"):
        shutil.copy(template, folder)
    copy = folder / "alertmanager"
    copy.write_bytes(program.read_bytes().replace(_TEMPLATES, b"./" * (len(_TEMPLATES) // 2)))
    copy.chmod(0o755)
    return copy


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _get(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bytes(answer.read())
    except OSError:
        return None


def _until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come in time")
