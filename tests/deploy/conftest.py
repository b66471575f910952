"""The programs that the tests of deploy/ run, each built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backends.build import NoBackend
from tests.deploy.kubernetes import HELM, KUBECONFORM, schema_locations
from tests.go_programs import go_program
from tests.serving.server import serve
from tests.unavailable import unavailable

__all__ = ["helm", "kubeconform", "serve"]


@pytest.fixture(scope="session")
def helm(surroundings: dict[str, str]) -> Path:
    """Helm 3."""
    return go_program(HELM, surroundings)


@pytest.fixture(scope="session")
def kubeconform(surroundings: dict[str, str]) -> list[str]:
    """The command of kubeconform, with the places of its schemas: nothing is fetched when it runs."""
    program = go_program(KUBECONFORM, surroundings)
    try:
        locations = schema_locations(surroundings)
    except NoBackend as error:
        unavailable(error, surroundings)
    return [str(program), *(word for place in locations for word in ("-schema-location", place))]
