"""Positions in the log of ended spans, as text for those who read on from there: docs/stream.md."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from otel_mas.errors import UnsupportedQuery

FORMAT: Final = 1
"""Version of the text; another one is refused."""
_TEXT = re.compile(r"(\d{1,4})-([0-9a-f]{8})-(\d{1,18})")


@dataclass(frozen=True, slots=True)
class LogCursor:
    """The last key of the log that a reader has got. `store` is the beginning of the store's id."""

    store: str
    key: int

    def __str__(self) -> str:
        return f"{FORMAT}-{self.store}-{self.key}"

    @classmethod
    def parse(cls, text: str) -> LogCursor:
        """A cursor of its text. Raises `UnsupportedQuery` where it is none, or of a later version."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise UnsupportedQuery(f"{text[:80]!r} is no cursor: give one that this API handed out, or none")
        if int(found[1]) != FORMAT:
            raise UnsupportedQuery(f"{text!r} is a cursor of another version: begin anew, without one")
        return cls(found[2], int(found[3]))


__all__ = ["FORMAT", "LogCursor"]
