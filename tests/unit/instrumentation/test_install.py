"""Each framework is patched when the app imports it, and put back; none is imported for that."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
from otel_mas.instrumentation import install

def loaded():
    return {name.partition(".")[0] for name in sys.modules} & {"langgraph", "langchain_core", "langsmith", "pydantic"}

install.install()
assert loaded() == set(), loaded()
from langgraph.pregel import _loop, _runner
from langchain_core.tools.base import BaseTool
patched = (_loop.apply_writes, _loop.PregelLoop.tick, _runner.run_with_retry, BaseTool.run)
assert all(hasattr(function, "__wrapped__") for function in patched), patched
install.install()
assert (_loop.apply_writes, _loop.PregelLoop.tick, _runner.run_with_retry, BaseTool.run) == patched
install.uninstall()
now = (_loop.apply_writes, _loop.PregelLoop.tick, _runner.run_with_retry, BaseTool.run)
assert now == tuple(function.__wrapped__ for function in patched), now
install.install()
assert hasattr(_loop.apply_writes, "__wrapped__"), "at once, where it is imported already"
"""


@pytest.mark.slow
def test_frameworks_are_patched_as_the_app_imports_them_and_put_back() -> None:
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
