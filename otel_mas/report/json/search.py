"""Matches of a search as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from otel_mas.model import PartialList
from otel_mas.model.search import Match
from otel_mas.report.json.fields import TIME


class MatchForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "the span that wrote it, or else the first one that read or has it"]
    where: Annotated[str, "output, input, state (a value in a state) or content"]
    time_ns: Annotated[int, f"when that span ended (output), or else started{TIME}"]
    name: Annotated[str | None, "name of a content, such as gen_ai.tool.call.result; null of a message"]
    digest: Annotated[str | None, "of a message, or of a value of a state"]
    snippet: Annotated[str, "the text that was found, and what stands around it"]


class MatchesDocument(TypedDict):
    matches: Annotated[list[MatchForm], "those of the newest trace first"]
    incomplete: Annotated[str | None, "what was not looked through, in words; null where all was"]


def matches(found: Sequence[Match]) -> MatchesDocument:
    """Matches of a search."""
    return {
        "matches": [
            {
                "trace_id": one.trace_id,
                "span_id": one.span_id,
                "where": one.where,
                "time_ns": one.at_ns,
                "name": one.name,
                "digest": one.digest,
                "snippet": one.snippet,
            }
            for one in found
        ],
        "incomplete": found.incomplete if isinstance(found, PartialList) else None,
    }


__all__ = ["MatchForm", "MatchesDocument", "matches"]
