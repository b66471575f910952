"""Times as datetimes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

_MARGIN = timedelta(days=2)  # more than any zone differs from UTC
_FIRST = int((datetime.min.replace(tzinfo=UTC) + _MARGIN).timestamp())
_LAST = int((datetime.max.replace(tzinfo=UTC) - _MARGIN).timestamp())


def instant(ns: int, zone: tzinfo | None = None) -> datetime:
    """A time (ns since 1970) to the second, in a zone or, naive, in the machine's.

    Files may say any time; one that datetime cannot express becomes the nearest one that it can.
    """
    return datetime.fromtimestamp(min(max(ns // 10**9, _FIRST), _LAST), zone)


__all__ = ["instant"]
