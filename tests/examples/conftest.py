"""The repository's root on the path, as for an app that is run there, and a model server that answers at once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from examples.model_server import ModelServer  # noqa: E402 - found by the path above


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    with ModelServer(pace=0) as running:
        yield running
