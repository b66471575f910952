"""How durations and amounts of money are written for people."""

from __future__ import annotations

_MS = 1_000_000
_S = 1_000 * _MS


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


__all__ = ["duration", "usd"]
