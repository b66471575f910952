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


def test_a_misspelled_name_is_told_with_the_right_one() -> None:
    with pytest.raises(
        ConfigError, match=r"pairs with commas between; .*; there is no .*: did you mean tool_loop_calls"
    ):
        Settings.from_env({"OTEL_MAS_THRESHOLDS": "tool_loop_cals=5"})
