"""The option that has every suite run with every version."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="run every suite with every LangGraph that is supported")
