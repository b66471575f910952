"""The end of a test that needs what cannot be had here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

import pytest


def unavailable(reason: object, surroundings: Mapping[str, str]) -> NoReturn:
    """Skip the test, or fail it in CI and where OTEL_MAS_REQUIRE_DATA=1 asks for all of them.

    Args:
        reason: what is missing, and what to do.
        surroundings: the environment outside of the test.
    """
    if surroundings.get("CI") or surroundings.get("OTEL_MAS_REQUIRE_DATA") == "1":
        pytest.fail(str(reason))
    pytest.skip(str(reason))


__all__ = ["unavailable"]
