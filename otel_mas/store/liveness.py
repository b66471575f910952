"""When a recording process counts as alive: it beats at least once in `FRESH_NS` and has not said that it ended."""

from __future__ import annotations

FRESH_NS = 15_000_000_000
