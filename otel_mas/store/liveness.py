"""When a recording process counts as alive: it beats at least once in `FRESH_NS` and has not said that it ended."""

from __future__ import annotations

FRESH_NS = 15_000_000_000


def never_ended(spans: int) -> str:
    """What is said of a trace with open spans whose process is gone."""
    return f"{spans} {'span' if spans == 1 else 'spans'} never ended: the process stopped"
