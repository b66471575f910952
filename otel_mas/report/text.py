"""How durations, times, amounts and foreign text are written for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from otel_mas.errors.printable import printable
from otel_mas.model.instants import instant

_SPACES = re.compile(" {2,}")
_MS = 1_000_000
_S = 1_000 * _MS
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def plain(text: object) -> str:
    """Recorded text on one line, without characters that would steer a terminal."""
    return _SPACES.sub(" ", printable(str(text))).strip()


def duration(ns: int) -> str:
    """Three digits or so: 640 µs, 52 ms, 3.41 s, 2m 04s, 1h 05m, 2d 03h."""
    if ns < 999_500:
        return f"{round(ns / 1_000)} µs" if ns else "0 s"
    if ns < 999.5 * _MS:
        return f"{ns / _MS:.1f} ms" if ns < 9.95 * _MS else f"{round(ns / _MS)} ms"
    if ns < 59.995 * _S:
        return f"{ns / _S:.2f} s"
    seconds = round(ns / _S)
    if seconds < 3_600:
        return f"{seconds // 60}m {seconds % 60:02}s"
    minutes = seconds // 60
    if minutes < 24 * 60:
        return f"{minutes // 60}h {minutes % 60:02}m"
    return f"{minutes // 1440}d {minutes // 60 % 24:02}h"


def offset(ns: int) -> str:
    """A time as its distance from the start: +3.41 s."""
    return f"{'-' if ns < 0 else '+'}{duration(abs(ns))}"


def local_time(ns: int) -> str:
    """A time as the clock on the wall showed it, to the second."""
    return instant(ns).isoformat(" ")


def usd(amount: float) -> str:
    """Two significant digits at least: $12.30, $0.0123, $0.00031."""
    if amount == 0:
        return "$0"
    if abs(amount) >= 1:
        return f"${amount:,.2f}"
    digits = 4
    while digits < 10 and abs(amount) < 10 ** -(digits - 1):
        digits += 1
    return f"${amount:.{digits}f}"


def byte_size(amount: int) -> str:
    """512 bytes, 3.4 MiB, 1 GiB."""
    value, unit = float(amount), 0
    while value >= 1023.5 and unit + 1 < len(_UNITS):
        value, unit = value / 1024, unit + 1
    shown = f"{value:.1f}" if unit and value < 9.95 and value % 1 else str(round(value))
    return f"{shown} {_UNITS[unit]}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """1 span, 1,204 spans."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: int, whole: int) -> str:
    """A percentage without decimals; what is there but rounds to nothing is <1%."""
    if whole <= 0 or part <= 0:
        return "0%"
    percent = 100 * part / whole
    return "<1%" if percent < 0.5 else f"{percent:.0f}%"


def listing(items: Sequence[str], most: int = 3) -> str:
    """a, b, c and 4 more."""
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def counted(items: Mapping[str, int]) -> list[str]:
    """chat ×2, search: how often each, where more than once."""
    return [item if times == 1 else f"{item} ×{times}" for item, times in items.items()]


def shortened(text: str, most: int) -> str:
    """Text of at most so many characters, with … where there was more."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def short_ids(ids: Sequence[str], least: int = 8) -> dict[str, str]:
    """The shortest beginnings, of at least so many characters, that tell these ids apart."""
    distinct = sorted(set(ids))
    length = least
    for one, following in pairwise(distinct):
        common = next((i for i, (a, b) in enumerate(zip(one, following, strict=False)) if a != b), len(one))
        length = max(length, common + 1)
    return {whole: whole[:length] for whole in distinct}
