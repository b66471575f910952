"""Names that resemble one that is not known, for messages about misspelled ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`: did you mean search?` with the known name that resembles it most; empty where none does."""
    by_folded = {one.casefold().replace("-", "_"): one for one in known}
    close = get_close_matches(name.casefold().replace("-", "_"), by_folded, 1)
    return f": did you mean {by_folded[close[0]]}?" if close else ""


__all__ = ["did_you_mean"]
