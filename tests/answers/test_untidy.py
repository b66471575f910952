"""A trace of two machines whose clocks differ, everywhere: corrected the same way, and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

import otel_mas
from otel_mas.cli import cli
from otel_mas.server.api import create_app

TRACE = "a" * 32
NOON_MS = 1_800_000_000_000
SAID = (
    "The clock of worker (host-worker) is 3.15 s behind that of api (1 span contradicts its cause): "
    "its 2 spans are moved.",
)
KINDS = {"internal": 1, "server": 2, "client": 3}


def _spans(service: str, span: str, parent: str, start: int, end: int, kind: str, name: str) -> dict[str, Any]:
    """OTLP of one span; times in milliseconds."""
    about = {"service.name": service, "host.name": f"host-{service}"}
    times = {
        "startTimeUnixNano": str((NOON_MS + start) * 10**6),
        "endTimeUnixNano": str((NOON_MS + end) * 10**6),
    }
    one = {"traceId": TRACE, "spanId": span * 16, "parentSpanId": parent * 16, "name": name, "kind": KINDS[kind]}
    return {
        "resource": {"attributes": [{"key": key, "value": {"stringValue": value}} for key, value in about.items()]},
        "scopeSpans": [{"scope": {"name": "app"}, "spans": [one | times]}],
    }


@pytest.fixture(params=["file", "store"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    document = {
        "resourceSpans": [
            _spans("api", "1", "", 1000, 1500, "server", "GET /ask"),
            _spans("api", "2", "1", 1100, 1400, "client", "POST worker"),
            _spans("worker", "3", "2", -2000, -1800, "server", "work"),
            _spans("worker", "4", "3", -1950, -1850, "internal", "think"),
            _spans("api", "5", "1", 1700, 1750, "internal", "audit"),
        ]
    }
    path = tmp_path / "skewed.json"
    path.write_text(json.dumps(document))
    if request.param == "file":
        return str(path)
    store = str(tmp_path / "runs.db")
    assert CliRunner().invoke(cli, ["import", str(path), "--store", store]).exit_code == 0
    return store


def test_the_terminal_and_json_say_it(place: str) -> None:
    run = CliRunner()
    shown = run.invoke(cli, ["show", TRACE, "--store", place])
    assert all(line in shown.stderr for line in SAID)
    path = json.loads(run.invoke(cli, ["critical-path", TRACE, "--store", place, "--json"]).stdout)
    assert tuple(path["problems"]) == SAID
    steps = [(step["span_id"][0], step["duration_ns"] // 10**6) for step in path["steps"]]
    assert steps == [("1", 100), ("2", 50), ("3", 50), ("4", 100), ("3", 50), ("2", 50), ("1", 100)]


def test_the_page_has_it(place: str) -> None:
    with otel_mas.open(place) as source, TestClient(create_app(source)) as client:
        found = client.get(f"/api/v1/traces/{TRACE}/picture").json()
    assert tuple(found["problems"]) == SAID
