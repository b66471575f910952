"""How durations, times, amounts and foreign text are written for people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from otel_mas.errors.printable import printable
from otel_mas.model.amounts import duration as duration
from otel_mas.model.amounts import usd as usd
from otel_mas.model.instants import instant

_SPACES = re.compile(" {2,}")
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def plain(text: object) -> str:
    """Recorded text on one line, without characters that would steer a terminal."""
    return _SPACES.sub(" ", printable(str(text))).strip()


def offset(ns: int) -> str:
    """A time as its distance from the start: +3.41 s."""
    return f"{'-' if ns < 0 else '+'}{duration(abs(ns))}"


def local_time(ns: int) -> str:
    """A time as the clock on the wall showed it, to the second."""
    return instant(ns).isoformat(" ")


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


def token_counts(read: int, wrote: int) -> str:
    """Tokens read and written: `1,200→80`; empty without any."""
    return f"{read:,}→{wrote:,}" if read or wrote else ""


def listing(items: Sequence[str], most: int = 3) -> str:
    """a, b, c and 4 more."""
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def counted(items: Mapping[str, int]) -> list[str]:
    """chat ×2, search: how often each, where more than once."""
    return [item if times == 1 else f"{item} ×{times}" for item, times in items.items()]


def beginning(text: str, most: int) -> str:
    """So many characters of a long text, and how many more there are."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def short_ids(ids: Sequence[str]) -> dict[str, str]:
    """The shortest beginnings, of eight characters or more, that tell these ids apart."""
    distinct = sorted(set(ids))
    length = 8
    for one, following in pairwise(distinct):
        common = next((i for i, (a, b) in enumerate(zip(one, following, strict=False)) if a != b), len(one))
        length = max(length, common + 1)
    return {whole: whole[:length] for whole in distinct}
