"""Thresholds are checked by name and value."""

from __future__ import annotations

import pytest

from otel_mas.config import Settings
from otel_mas.config.thresholds import Thresholds, parse
from otel_mas.errors import ConfigError


def test_they_are_numbers_by_name() -> None:
    assert parse(" tool_loop_calls = 5 ").tool_loop_calls == 5
    assert parse("") == Thresholds()


@pytest.mark.parametrize(
    "text", ["tool_loop_calls", "tool_loop_calls=many", "tool_loop_calls=2.5", "x=1", "tool_loop_calls=-1"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="OTEL_MAS_THRESHOLDS is"):
        Settings.from_env({"OTEL_MAS_THRESHOLDS": text})
