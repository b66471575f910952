"""Matches of a search: those of the newest trace first, a row each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.model.search import Match
from otel_mas.report.html.block import Head, left_out, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import count, local_time, plain, short_ids

_MOST = 100
_HEADS = (Head("trace"), Head("when"), Head("span"), Head("where"), Head("text", text=True))


def matches(found: Sequence[Match]) -> Markup:
    """Each match with its trace, its span and what stands around the text."""
    if not found:
        return element("p", "Nothing holds this text.")
    ids = short_ids(list(dict.fromkeys(one.trace_id for one in found)))
    rows = table(_HEADS, (list(_row(one, ids[one.trace_id])) for one in found[:_MOST]))
    hidden = len(found) - _MOST
    return text(rows, left_out([count(hidden, "further match", "further matches")] if hidden > 0 else []))


def _row(one: Match, trace_id: str) -> Iterator[Child]:
    yield trace_id
    yield local_time(one.at_ns)
    yield one.span_id
    yield plain(one.name or one.where)
    yield plain(one.snippet)


__all__ = ["matches"]
