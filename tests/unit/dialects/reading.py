"""Spans of other instrumentation, as dialects get them, and what they say in our names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from otel_mas.dialects import ForeignSpan, contents, foreign_messages, translated
from otel_mas.semconv import attributes as names


def written(
    attributes: Mapping[str, Any], name: str = "", *, raised: Sequence[str] = (), failed: bool = False
) -> ForeignSpan:
    """A span, with an event for each exception."""
    events = [("exception", {names.EXCEPTION_TYPE: kind}) for kind in raised]
    return ForeignSpan(attributes, name, failed, events=lambda: events)


def ours(span: ForeignSpan) -> dict[str, Any]:
    """All that is said of a span, content included."""
    return {**translated(span), **contents(span)}


def said(span: ForeignSpan, side: str) -> list[tuple[str, Any]]:
    """The messages of one side: role, and the text of one that is a text, else the parts."""
    found = []
    for message in foreign_messages(side, span):
        parts = message["parts"]
        is_text = len(parts) == 1 and parts[0]["type"] == "text"
        found.append((message["role"], parts[0]["content"] if is_text else parts))
    return found
