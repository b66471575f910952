"""All checks together: side by side, in bounded time, whatever hangs or fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from otel_mas.doctor.diagnose import Diagnosis, diagnose

pytestmark = pytest.mark.slow

Serve = Callable[..., int]


@pytest.fixture
def look(bare_python: Path, tmp_path: Path) -> Callable[..., Diagnosis]:
    """`look(variable=value)` in an environment with nothing installed, which is quick to ask."""

    def ask(environ: dict[str, str] | None = None, **asked: Any) -> Diagnosis:
        asked.setdefault("command", (str(bare_python),))
        asked.setdefault("store", str(tmp_path / "runs.db"))
        return diagnose({"PATH": "/bin:/usr/bin", "HOME": str(tmp_path), **(environ or {})}, **asked)

    return ask


def codes(found: Diagnosis) -> list[str]:
    return [finding.code for finding in found.findings]


def test_problems_come_first_and_are_counted(look: Callable[..., Diagnosis], closed_port: int) -> None:
    found = look({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://localhost:{closed_port}", "OTEL_MAS_CONTENT": "full"})
    levels = [finding.level.value for finding in found.findings]
    assert levels == sorted(levels, key=["problem", "note", "ok"].index)
    assert codes(found)[:2] == ["otel-mas-missing", "destination-refused"]
    assert (found.form["problems"], found.form["notes"]) == (levels.count("problem"), levels.count("note"))
    assert not found.ok
    assert found.form["findings"][0]["level"] == "problem"


def test_a_server_is_asked_once_whoever_sends_there(
    look: Callable[..., Diagnosis], serve: Serve, tools: ModuleType
) -> None:
    asked: list[bytes] = []
    port = serve(tools.answering("200 OK", asked=asked))
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://localhost:{port}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_MAS_EXPORT": "otlp",
    }
    found = look(environ)
    assert [form["reachable"] for form in found.form["destinations"]] == [True, True]
    assert codes(found).count("destination-answers") == 1
    assert "exports-too" in codes(found)
    assert len(asked) == 1


def test_the_default_endpoint_of_a_distro_is_asked_too(
    bare_python: Path, tmp_path: Path, look: Callable[..., Diagnosis], tools: ModuleType, closed_port: int
) -> None:
    points = "[opentelemetry_distro]\ndistro = x:y\n[opentelemetry_traces_exporter]\notlp = x:y\n"
    tools.distribution(tmp_path / "site", "opentelemetry-distro", "1.0", points=points)
    found = look({"PYTHONPATH": str(tmp_path / "site"), "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
    (destination,) = found.form["destinations"]
    assert destination["sender"] == "the app (OTEL_TRACES_EXPORTER=otlp)"
    assert destination["endpoint"] == "http://localhost:4317"


def test_nothing_is_contacted_that_is_not_configured(look: Callable[..., Diagnosis]) -> None:
    found = look()
    assert found.form["destinations"] == []
    assert found.form["sources"] == []


def test_checks_that_hang_are_left_behind(
    look: Callable[..., Diagnosis], serve: Serve, tools: ModuleType, tmp_path: Path
) -> None:
    python = tools.script(tmp_path / "python3", "#!/bin/sh\nexec sleep 600\n")
    port = serve(tools.silent)
    began = time.monotonic()
    found = look(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://localhost:{port}"},
        command=(str(python),),
        sources=(f"jaeger+http://localhost:{port}", f"tempo+http://localhost:{port}"),
        timeout_s=1.0,
    )
    assert time.monotonic() - began < 60  # only a hang takes longer
    assert codes(found).count("source-silent") == 2
    unfinished = [finding.message for finding in found.findings if finding.code == "check-unfinished"]
    assert len(unfinished) == 2
    assert "the check of the app's Python did not finish within 1 s" in unfinished
    assert found.form["environment"] is None
    assert [form["reachable"] for form in found.form["sources"]] == [False, False]


def test_of_hanging_servers_each_is_named(look: Callable[..., Diagnosis], serve: Serve, tools: ModuleType) -> None:
    port = serve(tools.silent)
    began = time.monotonic()
    found = look(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://localhost:{port}",
            "OTEL_MAS_EXPORT": f"otlp:http://127.0.0.1:{port}",
        },
        sources=(f"jaeger+http://localhost:{port}",),
    )
    assert time.monotonic() - began < 60  # only a hang takes longer
    assert {"destination-silent", "source-silent"} <= set(codes(found))


def test_a_check_that_fails_is_reported_and_the_others_go_on(look: Callable[..., Diagnosis], team_store: Path) -> None:
    found = look(sources=("\0",), store=str(team_store))
    assert "check-failed" in codes(found)
    assert len(found.errors) == 1
    assert "store-opens" in codes(found)
