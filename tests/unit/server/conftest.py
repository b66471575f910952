"""A store with runs of several apps, and the API over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

import otel_mas
from otel_mas.cli import cli
from otel_mas.server.api import create_app

ARCHIVES = Path(__file__).resolve().parents[2] / "answers"


@pytest.fixture(scope="session")
def archives() -> list[Path]:
    """Recorded runs as OTLP/JSON lines: teams, errors, questions to people."""
    return sorted(ARCHIVES.glob("*.jsonl.gz"))


def add(archive: Path, store: Path) -> None:
    """Import OTLP/JSON lines."""
    done = CliRunner().invoke(cli, ["import", str(archive), "--store", str(store)])
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="session")
def runs(once: Callable[[str, Callable[[Path], None]], Path], archives: list[Path]) -> Path:
    """A store that holds them."""

    def fill(folder: Path) -> None:
        for archive in archives:
            add(archive, folder / "runs.db")

    return once("server-runs", fill) / "runs.db"


@pytest.fixture
def client(runs: Path) -> Iterator[TestClient]:
    with otel_mas.open(runs) as source, TestClient(create_app(source)) as client:
        yield client


@pytest.fixture
def get(client: TestClient) -> Callable[..., Any]:
    """`get(path, **parameters)`: the document at a path below /api/v1."""

    def get(path: str, **parameters: Any) -> Any:
        response = client.get(f"/api/v1{path}", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    return get
