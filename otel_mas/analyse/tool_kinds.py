"""Kinds of tools: those that run code, and those that change something outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from otel_mas.trace_records.formats import parsed

_CODE = frozenset(("code", "command", "expression", "program", "script", "source", "sql"))
"""Names of arguments that a tool runs."""
_CHANGES = re.compile(
    r"(?:set|add(?=[_ -])|remove|update|delete|cancel|modify|exchange|return|book|send|create|write|pay|transfer|"
    r"submit|post|put|insert|drop|order|buy|sell|change)(?![a-z])",
    re.IGNORECASE,
)


def runs_code(arguments: Any) -> bool:
    """Whether a tool runs what it is given: its output, of any form, is what the code printed."""
    given = parsed(arguments)
    return isinstance(given, Mapping) and not _CODE.isdisjoint(given)


def changes_something(tool: str) -> bool:
    """Whether a tool, by its name, changes something outside, which cannot be taken back."""
    return _CHANGES.match(tool) is not None


def calculates(arguments: Any) -> bool:
    """Whether a tool is given two numbers or more and nothing else: whatever its name, its result is what is wanted."""
    given = parsed(arguments)
    values = list(given.values()) if isinstance(given, Mapping) else []
    numbers = [one for value in values for one in (value if isinstance(value, list | tuple) else (value,))]
    return len(numbers) > 1 and all(isinstance(one, int | float) and not isinstance(one, bool) for one in numbers)


__all__ = ["calculates", "changes_something", "runs_code"]
