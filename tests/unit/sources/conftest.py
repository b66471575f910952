"""A server certificate for tests that connect over TLS."""

from __future__ import annotations

import pytest

from tests.unit.sources.answering import SelfSigned, self_signed


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> SelfSigned:
    """A certificate of a server on this machine, signed by itself."""
    return self_signed(tmp_path_factory.mktemp("certificate"))
