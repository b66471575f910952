"""Rules by path: which values are always removed, and which are never touched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_MAX_KNOWN: Final = 4096
_MAX_PATH: Final = 512  # characters that are matched: keys may be of any length
_TOOL: Final = "tool:"
_ANY_NAMES: Final = r"(?:[^.]*\.)*"


class Paths:
    """Patterns of paths. A path is the name of an attribute or a content, and the keys down to the value.

    Items of a list have the list's path. `*` stands for one name (between dots) or a part of it, `**` for any number of
    names. All below a path belongs to it.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._pattern = re.compile("|".join(map(_regex, patterns)), re.DOTALL) if patterns else None
        self._known: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return self._pattern is not None

    def has(self, path: str) -> bool:
        """Tell whether a pattern is for this path."""
        if self._pattern is None:
            return False
        path = path[:_MAX_PATH]
        known = self._known.get(path)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[path] = self._pattern.fullmatch(path) is not None
        return known


def tool_path(tool: str) -> str:
    """The path of a tool's arguments: `tool:send_mail`."""
    return f"{_TOOL}{tool}"


def _regex(pattern: str) -> str:
    """A path that begins with these names."""
    *steps, last = pattern.removesuffix(".**").split(".")
    before = "".join(_ANY_NAMES if step == "**" else rf"{_name(step)}\." for step in steps)
    return rf"(?:{before}{_name(last)}(?:\..*)?)"


def _name(step: str) -> str:
    return "[^.]*".join(map(re.escape, step.split("*")))
