"""The research team's run as fixtures; times are shown in UTC."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.sources.answering import SelfSigned, self_signed


@pytest.fixture(scope="session")
def team() -> ModuleType:
    """tests/unit/report/team.py, which several rooms' tests use."""
    name = "tests_unit_report_team"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent.parent / "report" / "team.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture
def store(team: ModuleType, tmp_path: Path) -> Path:
    """A store that holds the team's two traces."""
    path: Path = team.write(tmp_path / "team.db")
    return path


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    """A certificate of a server on this machine, signed by itself."""
    return self_signed(tmp_path_factory.mktemp("certificate"))
