"""Budgets as settings and code give them: limits on what is spent, and what each is counted for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_args

from otel_mas.config import parse
from otel_mas.errors.similar import did_you_mean

Per = Literal["run", "agent", "user", "conversation"]
Every = Literal["hour", "day", "month"]

_NUMBER: Final = re.compile(r"\d[\d_]*(?:\.\d+)?(?:e\d+)?", re.IGNORECASE)
_FORM: Final = "budgets like usd=0.50,tokens=20000 or usd=5,per=user,every=day, with semicolons between"
AMOUNTS: Final = ("usd", "tokens", "calls", "seconds")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that may be spent; None is no limit.

    Args:
        usd: the cost of model calls, in US dollars.
        tokens: of model calls, input and output.
        calls: of models and tools.
        seconds: of a run since it began; of an agent, user or conversation, the time that its model calls took.
        per: what it is counted for, each on its own.
        every: the time that it is for, of the calendar in UTC; None: for good. Of users and conversations only.

    Raises:
        ValueError: It limits nothing, or something is of no use.
    """

    usd: float | None = None
    tokens: float | None = None
    calls: float | None = None
    seconds: float | None = None
    per: Per = "run"
    every: Every | None = None

    def __post_init__(self) -> None:
        if not any(True for _ in self):
            raise ValueError("at least one of usd, tokens, calls and seconds")
        for name, most in self:
            if isinstance(most, bool) or not isinstance(most, int | float) or not 0 <= most < float("inf"):
                raise ValueError(f"{name} as a number, 0 or more")
        if self.per not in get_args(Per):
            raise ValueError(f"per one of {', '.join(get_args(Per))}")
        if self.every is not None and self.every not in get_args(Every):
            raise ValueError(f"every one of {', '.join(get_args(Every))}")
        if self.every is not None and self.per in ("run", "agent"):
            raise ValueError("per user or conversation where there is an every: a run is counted on its own")

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """The amounts that are limited, each with the most that it may be."""
        return ((name, most) for name in AMOUNTS if (most := getattr(self, name)) is not None)

    def __str__(self) -> str:
        """The text that `parse_limits` reads."""
        shown = [f"{name}={most:g}" for name, most in self] + [f"per={self.per}"]
        return ",".join(shown if self.every is None else [*shown, f"every={self.every}"])


def parse_limits(text: str) -> tuple[Limits, ...]:
    """Read `usd=0.50,tokens=20000;usd=5,per=user,every=day`; `off` is none.

    Raises:
        ValueError: It is something else.
    """
    if text.strip() == "off":
        return ()
    return tuple(_parse(part) for part in text.split(";") if part.strip())


def checked_limits(given: Sequence[object]) -> tuple[Limits, ...]:
    """Budgets that code gives, as text or as they are.

    Raises:
        ValueError: One is something else.
    """
    return tuple(one for each in given for one in ((each,) if isinstance(each, Limits) else parse_limits(str(each))))


def _parse(text: str) -> Limits:
    known = [one.name for one in fields(Limits)]
    given: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not value or name in given:
            raise ValueError(_FORM)
        if name not in known:
            raise ValueError(f"{_FORM}; there is no {name!r}{did_you_mean(name, known)}")
        given[name] = value
    return Limits(**_values(given))


def _values(given: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name == "seconds":
            found[name] = parse.duration(value)
        elif name in AMOUNTS:
            if _NUMBER.fullmatch(value) is None:
                raise ValueError(f"{name} as a number, 0 or more")
            found[name] = float(value)
        else:
            found[name] = value
    return found


__all__ = ["AMOUNTS", "Every", "Limits", "Per", "checked_limits", "parse_limits"]
