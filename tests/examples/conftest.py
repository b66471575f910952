"""A model server that answers at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examples.model_server import ModelServer


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    with ModelServer(pace=0) as running:
        yield running
