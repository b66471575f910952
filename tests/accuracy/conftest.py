"""Recording in this process, into a store of the test's own; and the apps of the prototypes."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import otel_mas


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Path]:
    """The path of the store that everything in the test is recorded into."""
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown(30)


@pytest.fixture(scope="module")
def apps(shared_data: Callable[[str], Path]) -> Iterator[ModuleType]:
    path = shared_data("../prototypes/langgraph/apps.py")
    spec = importlib.util.spec_from_file_location("prototype_apps", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["prototype_apps"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["prototype_apps"]
