"""What is recorded is exact on every LangGraph that is supported, from the oldest to the newest."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.versions.environments import ROOT, VERSIONS, python_of

SUITES = (
    "tests/accuracy/test_cases.py",
    "tests/accuracy/test_checkpoints.py",
    "tests/accuracy/test_langgraph_causes.py",
    "tests/unit/instrumentation/langgraph",
)
"""What depends on LangGraph's inside, and takes about half a minute: each version is one test of many."""
_PASSED = re.compile(r"\b[1-9]\d* passed\b")


@pytest.mark.parametrize("version", VERSIONS)
def test_causes_are_exact_with_langgraph(version: str, surroundings: dict[str, str]) -> None:
    """The suites of recording, run by the interpreter of an environment that has this LangGraph."""
    python = python_of(version, surroundings)
    environ = {name: value for name, value in surroundings.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *SUITES]
    found = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=900)
    assert found.returncode == 0, found.stdout[-15_000:] + found.stderr[-2_000:]
    assert _PASSED.search(found.stdout), found.stdout


def test_the_oldest_is_what_the_package_asks_for() -> None:
    assert f'langgraph = ["langgraph>={VERSIONS[0]}"' in (ROOT / "pyproject.toml").read_text()
