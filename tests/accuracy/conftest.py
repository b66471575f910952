"""Recording in this process, into a store of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import otel_mas


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Path]:
    """The path of the store that everything in the test is recorded into."""
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown(30)
