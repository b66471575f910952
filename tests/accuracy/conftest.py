"""The apps of the prototypes."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest


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
