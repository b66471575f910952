"""The research team's run as fixtures; times are shown in UTC."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests import research_team


@pytest.fixture(scope="session")
def team() -> ModuleType:
    """Module tests/research_team.py."""
    return research_team


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
