"""Words with which an agent says that it could not do what it was asked for. English only."""

from __future__ import annotations

import re

_COULD_NOT = (
    r"(?:could not|couldn[’']t|can[’']t|cannot|can not|failed to|"
    r"(?:was|were|am|are|[’']m|[’']re) (?:unable|not able) to)"
)
_DO = (
    r"(?:complete|do|finish|carry out|perform|fulfil|fulfill|find|locate|get|obtain|retrieve|fetch|access|reach|open|"
    r"read|load|look up|answer|respond|reply|help|assist|provide|give|determine|work out|figure out|solve|process|"
    r"proceed|continue|generate|produce|deliver|make|comply)"
)
_GIVES_UP = re.compile(
    rf"\b(?:I|we)\s*{_COULD_NOT} (?:\w+ly )?{_DO}\b"
    rf"|(?:^|[.!] )(?:sorry, )?(?:unable to|could not|cannot) {_DO}\b"
    r"|\b(?:I|we)(?:[’']ll| will| have to| must)? (?:give|gave|am giving|are giving) up\b",
    re.IGNORECASE,
)
_SHORT = 300
"""Characters of an answer in which giving up is what it says; in a longer one it is a remark."""


def gives_up(text: str) -> str | None:
    """The words with which a text gives up, and says little else; None where it does not, or asks something instead."""
    if len(text) > _SHORT or text.rstrip().endswith("?"):
        return None
    match = _GIVES_UP.search(text)
    return None if match is None else " ".join(match.group().strip(" .!").split())


__all__ = ["gives_up"]
