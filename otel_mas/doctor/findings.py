"""What a finding is: a line that says what was found, how bad it is, and a line that says what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from otel_mas.report.text import plain

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


class Area(StrEnum):
    SETTINGS = "settings"
    ENVIRONMENT = "environment"
    RECORDING = "recording"
    STORE = "store"
    SHIPPING = "shipping"
    READING = "reading"
    PRIVACY = "privacy"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. `code` is stable; `message` and `fix` are for people."""

    code: str
    level: Level
    area: Area
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of finding.

    Args:
        code: names it, in JSON and in the documentation.
        says: the line, with `{placeholders}`.
        fix: what to do, likewise; "" where there is nothing to do.
    """

    code: str
    level: Level
    area: Area
    says: str
    fix: str = ""

    def found(self, **values: object) -> Finding:
        """The finding, with its placeholders filled; what fills them may come from anywhere, and stays on its line."""
        shown = {name: plain(value) for name, value in values.items()}
        return Finding(self.code, self.level, self.area, self.says.format(**shown), self.fix.format(**shown))

    def documented(self) -> tuple[str, str]:
        """What it says and the fix, as Markdown in which the placeholders are in italics."""
        return _PLACEHOLDER.sub(r"*\1*", self.says), _PLACEHOLDER.sub(r"*\1*", self.fix)
