"""Durations and times as people write them: "500ms", "1h30m", "2026-11-21T10:00"."""

from __future__ import annotations

import re
import time
from datetime import datetime

_UNITS_NS = {
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60 * 1_000_000_000,
    "h": 3_600 * 1_000_000_000,
    "d": 86_400 * 1_000_000_000,
}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhd])")


def duration_ns(value: str | float) -> int:
    """Nanoseconds of "500ms", "2s", "1.5h", "1h30m", or of a number of seconds.

    Raises:
        ValueError: It is none of these, or negative.
        TypeError: It is neither text nor a number.
    """
    if isinstance(value, str):
        text = value.replace(" ", "").lower()
        parts = _PART.findall(text)
        if not parts or "".join(number + unit for number, unit in parts) != text:
            raise ValueError(f"{value!r} is not a duration: write it like 500ms, 2s or 1h30m")
        return sum(round(float(number) * _UNITS_NS[unit]) for number, unit in parts)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a duration: give text, like 500ms, or a number of seconds")
    if not value >= 0 or value == float("inf"):
        raise ValueError(f"{value!r} is not a duration: give seconds, 0 or more")
    return round(value * _UNITS_NS["s"])


def instant_ns(value: str | float | datetime, now_ns: int | None = None) -> int:
    """Nanoseconds since the epoch of a time, or of a duration ("1h", seconds) before now.

    Times without a zone are local.

    Raises:
        ValueError: It is neither a time nor a duration.
    """
    if isinstance(value, datetime):
        return _epoch_ns(value)
    try:
        return (time.time_ns() if now_ns is None else now_ns) - duration_ns(value)
    except ValueError:
        if not isinstance(value, str):
            raise
    try:
        return _epoch_ns(datetime.fromisoformat(value))
    except ValueError:
        raise ValueError(f"{value!r} is neither a duration nor a time: write it like 1h or 2026-11-21T10:00") from None


def _epoch_ns(moment: datetime) -> int:
    seconds = int(moment.replace(microsecond=0).timestamp())
    return seconds * _UNITS_NS["s"] + moment.microsecond * 1_000
