"""Spans and contents that were recorded and never stored, by reason."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class DropReason(StrEnum):
    """Why something recorded is not in the store. The values are stored, and shown to people."""

    QUEUE_FULL = "queue full"
    DISK_FULL = "disk full"
    JOURNAL_FULL = "journal full"
    """The write-ahead log reached its bound, because a reader kept a transaction open."""
    STORE_GONE = "store gone"
    """The file was removed or replaced."""
    STORE_LOCKED = "store locked"
    STORE_UNUSABLE = "store unusable"
    """It could not be opened, is damaged, or may not be written."""
    FAILED_BATCH = "failed batch"
    NOT_ENCODABLE = "not encodable"
    EXIT_TIMEOUT = "exit time-out"
    UNKNOWN = "unknown reason"
    """Counted by a version that did not keep reasons."""


class Dropped(NamedTuple):
    """Numbers of spans and contents dropped for one reason."""

    reason: str
    spans: int
    contents: int


def describe_dropped(dropped: Iterable[Dropped]) -> str | None:
    """Say it in one line, such as "3 spans were dropped: queue full"; None where nothing was dropped."""
    found = sorted((one for one in dropped if one.spans or one.contents), key=lambda one: (-one.spans, one.reason))
    if not found:
        return None
    spans, contents = sum(one.spans for one in found), sum(one.contents for one in found)
    parts = [_count(spans, "span")] if spans else []
    parts += [_count(contents, "content")] if contents else []
    if len(found) == 1:
        reasons = found[0].reason
    else:
        reasons = ", ".join(f"{one.reason} ({one.spans or one.contents:,})" for one in found)
    return f"{' and '.join(parts)} {'was' if spans + contents == 1 else 'were'} dropped: {reasons}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
