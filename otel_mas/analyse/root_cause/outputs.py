"""Outputs that are none: truncated answers, agents that give up, results that are no data."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from otel_mas.analyse.finish_reasons import was_cut
from otel_mas.analyse.root_cause.acts import Acts
from otel_mas.analyse.root_cause.evidence import Evidence

_GIVES_UP = re.compile(
    r"\b(?:(?:I|we)(?:'m| am| are|'re| was| were)? (?:sorry|unable|not able)|"
    r"(?:I|we) (?:could not|couldn't|failed to|give up|gave up)|"
    r"(?:I|we) (?:can't|cannot|can not) (?:answer|complete|continue|determine|do|finish|find|help|solve|tell)|"
    r"try again later)\b",
    re.IGNORECASE,
)
"""Failing at a task; not the refusal of a request, which may be right."""
_NONSENSE = re.compile(
    r"<html\b|\[object \w+\]|lorem ipsum|\ufffd|ï¿½|[\x00-\x08\x0e-\x1f]|\b50[0234] (?:Bad Gateway|Service|Gateway)",
    re.IGNORECASE,
)
_SHORT = 300
"""Characters of an answer in which giving up is what it says; in a longer one it is a remark."""


def output_evidence(acts: Acts) -> Iterator[Evidence]:
    """Acts whose output was cut off, says that they give up, or is no data."""
    for act in acts:
        if was_cut(act.span):
            yield Evidence(act.number, 0.8, "its answer was cut off: it ran out of tokens")
        if act.is_call and (_NONSENSE.search(act.wrote) or _is_broken(act.wrote)):
            yield Evidence(
                act.number, 0.8, "its result is no data: an error page, filler, binary or a part of something"
            )
        if act.speaks and len(act.wrote) < _SHORT and (match := _GIVES_UP.search(act.wrote)) is not None:
            yield Evidence(act.number, 0.7, f"gives up: {match.group()!r}")


def _is_broken(text: str) -> bool:
    """Whether a text begins as JSON and is none."""
    if text[:1] not in ("{", "["):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text.startswith(('{"', '[{"', '["'))
    return False


__all__ = ["output_evidence"]
