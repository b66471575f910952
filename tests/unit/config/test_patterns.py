"""Regular expressions of users: what is refused, and how it is logged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from otel_mas.config import Settings
from otel_mas.errors import ConfigError


@pytest.mark.parametrize(
    ("expression", "logged"),
    [
        ("hunter2(", "number 1 is none: missing )"),
        ("a*", "number 1 matches the empty text"),
        ("(a+)+$", "exponential or cubic time"),
        (r"(\w+\s?)+$", "exponential or cubic time"),
        ("(x|xx)*y", "exponential or cubic time"),
        ("@/no/such/file", "/no/such/file cannot be read"),
    ],
)
def test_an_expression_that_cannot_be_used_is_refused_without_repeating_it(expression: str, logged: str) -> None:
    with pytest.raises(ConfigError, match="OTEL_MAS_REDACT_PATTERNS is \\(not shown\\)") as caught:
        Settings.from_env({"OTEL_MAS_REDACT_PATTERNS": expression})
    assert logged in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_expressions_come_from_a_variable_a_file_or_code(tmp_path: Path) -> None:
    file = tmp_path / "patterns"
    file.write_text("# customers\nCUST-\\d{6}\n\n[A-Z]+\\d{4}-x\n")
    assert Settings.from_env({"OTEL_MAS_REDACT_PATTERNS": r"CUST-\d{6}"}).redact_patterns == (r"CUST-\d{6}",)
    assert Settings.from_env({"OTEL_MAS_REDACT_PATTERNS": f"@{file}"}).redact_patterns == (
        r"CUST-\d{6}",
        r"[A-Z]+\d{4}-x",
    )
    assert Settings.from_env({}, redact_patterns=["a1", "b2"]).redact_patterns == ("a1", "b2")
    assert Settings.from_env({"OTEL_MAS_REDACT_KEYS": "iban, tax id"}).redact_keys == ("iban", "tax id")
    with pytest.raises(ConfigError, match="number 2"):
        Settings.from_env({}, redact_patterns=["a1", "(a+)+$"])
    with pytest.raises(ConfigError, match="redact_keys"):
        Settings.from_env({}, redact_keys=[""])


def test_a_file_of_expressions_is_a_regular_file_of_at_most_1_mib(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "large").write_text("a" * (1024 * 1024 + 1))
    for file, why in (("fifo", "not a regular file"), ("large", "larger than 1 MiB"), ("/dev/zero", "not a regular")):
        with pytest.raises(ConfigError, match=why):
            Settings.from_env({"OTEL_MAS_REDACT_PATTERNS": f"@{tmp_path / file}"})
