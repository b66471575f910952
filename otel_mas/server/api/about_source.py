"""Answers about all that is served: information, and lists of traces."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import version
from typing import Annotated, Unpack

from otel_mas.api.filters import FILTERS, Filters, query_of
from otel_mas.report import json
from otel_mas.server.api.cursors import ListPlace
from otel_mas.server.api.endpoints import Endpoint
from otel_mas.server.api.errors import BadRequest
from otel_mas.server.api.forms import InfoDocument, TracesPage
from otel_mas.server.api.served import Served

_MOST = 500
_PAGE = 50


def _info(served: Served) -> InfoDocument:
    """Version, location and abilities of the source that is served."""
    can = served.source.capabilities
    return {
        "version": version("otel-mas"),
        "location": served.source.location,
        "receiving": served.receiving,
        "live": served.live,
        "feedback": can.runs,
        "filters": [name for name, (field, _) in FILTERS.items() if field.name in can.filters],
        "conversations": can.conversations,
        "content": can.content,
        "now_ns": time.time_ns(),
        "cursor": served.cursor(),
    }


def _traces(
    served: Served,
    limit: Annotated[int, f"How many at most, {_MOST} or fewer."] = _PAGE,
    cursor: Annotated[str | None, "Continue after a part: its `next`."] = None,
    **filters: Unpack[Filters],
) -> TracesPage:
    """The traces that match everything that is given, newest first."""
    if not 1 <= limit <= _MOST:
        raise BadRequest(f"limit is {limit}: give 1 to {_MOST}")
    place, live = ListPlace.parse(cursor), served.cursor()
    query = query_of(filters, limit + 1 + len(place.ids))
    if place.start_ns is not None:
        query = replace(query, until_ns=min(place.start_ns, query.until_ns or place.start_ns))
    found = served.listed(query)
    left = [one for one in found if one.trace_id not in place.ids]
    page = left[:limit]
    source = served.source
    document = json.traces(page, source.overdue(page), source.error_messages(page))
    return {
        "traces": document["traces"],
        "incomplete": found.incomplete,
        "next": str(place.after(page)) if len(left) > limit else None,
        "cursor": live,
    }


def _trace(served: Served, trace_id: str) -> json.TraceForm:
    """The line about one trace, as in the list."""
    found = [served.summary(trace_id)]
    source = served.source
    return json.traces(found, source.overdue(found), source.error_messages(found))["traces"][0]


SOURCE = (
    Endpoint("/info", _info),
    Endpoint("/traces", _traces),
    Endpoint("/traces/{trace_id}", _trace),
)

__all__ = ["SOURCE"]
