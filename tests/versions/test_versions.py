"""Recording is exact with every supported LangGraph, from the oldest to the newest."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

import pytest

from tests.versions.environments import ROOT, VERSIONS, python_of

EXACT = (
    "tests/accuracy/test_cases.py",
    "tests/accuracy/test_checkpoints.py",
    "tests/accuracy/test_langgraph_causes.py",
)
CAUSES = (*EXACT, "tests/unit/instrumentation/langgraph")
"""Tests that depend on LangGraph's internals."""
REPLAY = "tests/accuracy/replay"
ALL = (
    ("tests/accuracy", *(f"--ignore={one}" for one in (*EXACT, REPLAY))),
    (REPLAY,),
    EXACT,
    ("tests/unit/instrumentation/langgraph",),
    ("tests/unit/instrumentation/langchain",),
)
"""Tests that depend on LangGraph and LangChain, in parts that run at the same time."""
LONG = "tests/accuracy/test_long_running.py"
ANALYSED = ("tests/accuracy/attribution", "tests/accuracy/injected")
"""Tests that measure what is made of a recording, whichever version made it; the apps of some need LangChain 1."""
_PASSED = re.compile(r"\b[1-9]\d* passed\b")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Everything with `--whole`, as `make matrix` has it; else that with the oldest, and the causes with the others."""
    if "suites" in metafunc.fixturenames:
        whole = metafunc.config.getoption("--whole")
        rows = []
        for version in VERSIONS:
            if whole or version == VERSIONS[0]:
                left_out = [f"--ignore={one}" for one in (*ANALYSED, *(() if whole else (LONG,)))]
                rows += [(version, (*suites, *(["--whole"] if whole else []), *left_out)) for suites in ALL]
            else:
                rows.append((version, CAUSES))
        metafunc.parametrize(("version", "suites"), rows, ids=[f"{version}-{suites[0]}" for version, suites in rows])


def test_what_is_recorded_is_exact_with_langgraph(
    version: str,
    suites: tuple[str, ...],
    surroundings: dict[str, str],
    record_property: Callable[[str, object], None],
) -> None:
    """Run the suites with the interpreter that has this LangGraph; the summary lists what is skipped."""
    python = python_of(version, surroundings)
    environ = {name: value for name, value in surroundings.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *suites]
    found = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=1800)
    assert found.returncode == 0, found.stdout[-15_000:] + found.stderr[-2_000:]
    assert _PASSED.search(found.stdout), found.stdout
    *lines, ending = found.stdout.splitlines()
    skipped = [line for line in lines if line.startswith("SKIPPED")]
    record_property("version", "\n  ".join([f"LangGraph {version}, {' '.join(suites)}:", *skipped, ending]))


def test_the_oldest_is_what_the_package_asks_for() -> None:
    assert f'langgraph = ["langgraph>={VERSIONS[0]}"' in (ROOT / "pyproject.toml").read_text()
