"""Evidence that an act is the root cause: how much it weighs, and the reason in words."""

from __future__ import annotations

from typing import NamedTuple


class Evidence(NamedTuple):
    """One reason to hold an act responsible."""

    act: int
    """The number of the act."""
    weight: float
    """0 to 1: the probability that the act went wrong, were this all that is known."""
    reason: str
    """In words, without a period."""


__all__ = ["Evidence"]
