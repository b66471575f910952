"""How amounts, and what our own errors say, are put into findings."""

from __future__ import annotations

import re

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STATUS = re.compile(r"\(\d{3}\)$")


def size(amount: int) -> str:
    """512 bytes, 3.4 MiB, 1 GiB."""
    value, unit = float(amount), 0
    while value >= 1023.5 and unit + 1 < len(_UNITS):
        value, unit = value / 1024, unit + 1
    shown = f"{value:.1f}" if unit and value < 9.95 and value % 1 else str(round(value))
    return f"{shown} {_UNITS[unit]}"


def parted(error: Exception) -> tuple[str, str]:
    """What was wrong, and what to do: our errors say the one, a colon, and the other.

    After the status that a server gave come its own words, which are no advice: what to do is behind a semicolon then.
    """
    message = " ".join(str(error).split()) or type(error).__name__
    wrong, mark, remedy = message.partition(": ")
    if mark and _STATUS.search(wrong):
        wrong, mark, remedy = message.partition("; ")
    return wrong, remedy
