"""English words for a verdict or a choice, and their opposites."""

from __future__ import annotations

from collections.abc import Mapping

OPPOSITES = (
    ("yes", "no"),
    ("true", "false"),
    ("approve", "reject"),
    ("approved", "rejected"),
    ("accept", "decline"),
    ("accepted", "declined"),
    ("pass", "fail"),
    ("passed", "failed"),
    ("valid", "invalid"),
    ("correct", "wrong"),
    ("safe", "unsafe"),
    ("buy", "sell"),
    ("increase", "decrease"),
    ("allowed", "forbidden"),
    ("possible", "impossible"),
    ("available", "unavailable"),
)
"""Pairs."""
OPPOSITE: Mapping[str, str] = {one: other for pair in OPPOSITES for one, other in (pair, pair[::-1])}
"""By each word of a pair the other one."""

__all__ = ["OPPOSITE", "OPPOSITES"]
