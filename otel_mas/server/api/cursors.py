"""Cursors of lists: the place of the last item, so that new items in front of it move nothing."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from otel_mas.analyse.log import Entry
from otel_mas.model import TraceSummary
from otel_mas.server.api.errors import BadRequest

_MOST_TIES = 1_000


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Place in a list of traces: the start of the last one, and all that were given with that start."""

    start_ns: int | None = None
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        return _written([self.start_ns, *self.ids])

    @classmethod
    def parse(cls, text: str | None) -> Self:
        """The place of a cursor; without one the beginning. Raises `BadRequest` where it is none."""
        if text is None:
            return cls()
        start_ns, *ids = _read(text, least=2)
        if type(start_ns) is not int or not all(type(one) is str for one in ids):
            raise _unknown(text)
        return cls(start_ns, tuple(ids))

    def after(self, page: Sequence[TraceSummary]) -> ListPlace:
        """The place after another page."""
        start_ns = page[-1].start_ns
        given = [one.trace_id for one in page if one.start_ns == start_ns]
        known = self.ids if self.start_ns == start_ns else ()
        return ListPlace(start_ns, (*known, *given)[-_MOST_TIES:])


@dataclass(frozen=True, slots=True)
class EntryPlace:
    """Place in a log: the last entry that was given. Entries that come in front of it move nothing."""

    span_id: str
    kind: str
    time_ns: int
    number: int
    """How many entries like it come before it."""

    def __str__(self) -> str:
        return _written([self.span_id, self.kind, self.time_ns, self.number])

    @classmethod
    def at(cls, entries: Sequence[Entry], at: int) -> Self:
        """The place of one entry."""
        one = entries[at]
        alike = (_key(other) == _key(one) for other in entries[:at])
        return cls(*_key(one), sum(alike))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The place of a cursor. Raises `BadRequest` where it is none."""
        found = _read(text, least=4)
        if [type(one) for one in found] != [str, str, int, int]:
            raise _unknown(text)
        return cls(*found)

    def following(self, entries: Sequence[Entry]) -> int:
        """The number of the entry after this one. Raises `BadRequest` where it is not among these."""
        alike = [at for at, one in enumerate(entries) if _key(one) == (self.span_id, self.kind, self.time_ns)]
        if not 0 <= self.number < len(alike):
            raise BadRequest("cursor is of another log, or of other filters: give the same ones, or begin anew")
        return alike[self.number] + 1


def _key(one: Entry) -> tuple[str, str, int]:
    return one.span_id, one.kind.value, one.time_ns


def _written(values: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def _read(text: str, least: int) -> list[Any]:
    try:
        found = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        raise _unknown(text) from None
    if not isinstance(found, list) or len(found) < least:
        raise _unknown(text)
    return found


def _unknown(text: str) -> BadRequest:
    return BadRequest(f"cursor is {text[:80]!r}, which this API did not hand out: give its `next`, or leave it out")


__all__ = ["EntryPlace", "ListPlace"]
