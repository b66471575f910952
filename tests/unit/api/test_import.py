"""What importing otel_mas loads, and what it offers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import otel_mas
from otel_mas.instrumentation import marks as marking

HEAVY = ("networkx", "pydantic", "grpc", "pandas", "opentelemetry.sdk", "opentelemetry.exporter", "sqlite3", "rich")


def loaded(code: str) -> set[str]:
    """The heavy packages, and our rooms, that a fresh process has loaded after running the code."""
    show = "import sys; print(' '.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", f"{code}; {show}"], capture_output=True, text=True, check=True)
    names = set(modules.stdout.split())
    rooms = ("otel_mas.causal", "otel_mas.analyse", "otel_mas.report")
    return {name for name in (*HEAVY, *rooms) if any(one == name or one.startswith(name + ".") for one in names)}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded("import otel_mas") == set()


def test_importing_what_users_import_loads_nothing_heavy() -> None:
    assert loaded("import otel_mas.api; dir(otel_mas); otel_mas.errors") == set()


def test_opening_a_source_does_not_load_what_only_graphs_need() -> None:
    assert not loaded("import otel_mas; otel_mas.open") & {"networkx", "otel_mas.causal", "otel_mas.analyse", "rich"}


def test_marking_code_that_is_not_recorded_loads_nothing_heavy() -> None:
    assert loaded("import otel_mas; otel_mas.agent(lambda: None)(); otel_mas.send('hello')") == set()


def test_what_is_offered_is_there() -> None:
    recording = {
        "__version__",
        "budget",
        "errors",
        "faults",
        "feedback",
        "flush",
        "instrument",
        "logs",
        "open",
        "shutdown",
    }
    fronts = {"AgentProfiler", "DebugSession", "InteractionGraph", "MASTraceLogger", "TraceReplayEngine"}
    records = {"EventType", "Modality", "TokenCost", "TraceRecord", "read_records"}
    findings = {"Complaint", "ComplaintLabel", "Finding", "RunFacts", "Severity", "Undecided"}
    propagation = {"correlation", "extract", "inject"}
    again = {"budget", "evaluate", "replay", "verify_root_cause"}
    assert set(otel_mas.__all__) == recording | fronts | records | findings | again | propagation | set(marking.__all__)
    assert set(dir(otel_mas)) == set(otel_mas.__all__)
    assert otel_mas.__version__
    for name in otel_mas.__all__:
        assert getattr(otel_mas, name) is not None


def test_what_is_not_offered_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        otel_mas.nothing  # noqa: B018


def test_replay_is_the_function_also_once_the_package_of_that_name_is_imported() -> None:
    code = """
import inspect
import otel_mas.replay  # the import puts it there
from otel_mas.api.trace_replay import replay

assert inspect.ismodule(otel_mas.replay)
assert inspect.signature(otel_mas.replay) == inspect.signature(replay)
otel_mas.replay()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "TypeError: " in done.stderr
    assert "'trace'" in done.stderr
