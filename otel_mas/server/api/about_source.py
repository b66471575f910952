"""Answers about all that is served: information, and lists of traces."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Annotated, Unpack

from otel_mas.alert.state import StateFile, path_of
from otel_mas.api.filters import FILTERS, MOST_TRACES, Filters, query_of
from otel_mas.model import TraceSummary
from otel_mas.report import json
from otel_mas.report.json.alerts import AlertsDocument, alerts
from otel_mas.report.json.diff import ComparedRunsDocument, compared_runs
from otel_mas.report.json.health import HealthDocument, health
from otel_mas.report.json.query import MetricsDocument, metric, statistics
from otel_mas.report.json.search import MatchesDocument, matches
from otel_mas.server.api.cursors import ListPlace
from otel_mas.server.api.endpoints import Endpoint
from otel_mas.server.api.errors import BadRequest
from otel_mas.server.api.forms import (
    ConversationForm,
    ConversationsDocument,
    InfoDocument,
    OverviewDocument,
    TracesPage,
)
from otel_mas.server.api.served import Served
from otel_mas.sources.server import download_once

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
    return {
        "traces": served.lines(page),
        "incomplete": found.incomplete,
        "next": str(place.after(page)) if len(left) > limit else None,
        "cursor": live,
    }


def _trace(served: Served, trace_id: str) -> json.TraceForm:
    """The line about one trace, as in the list."""
    return served.lines([served.summary(trace_id)])[0]


def _conversations(
    served: Served,
    limit: Annotated[int, "How many traces to look at, the newest."] = MOST_TRACES,
    **filters: Unpack[Filters],
) -> ConversationsDocument:
    """Conversations of which a trace matches everything that is given, newest first."""
    found = served.listed(query_of(filters, limit))
    groups: dict[tuple[str, str], list[TraceSummary]] = {}
    for one in found:
        if one.conversation_id is not None:
            groups.setdefault((one.conversation_id, one.service), []).append(one)
    return {
        "conversations": [_conversation(*key, traces) for key, traces in groups.items()],
        "limited": len(found) == limit,
        "incomplete": found.incomplete,
    }


def _conversation(thread: str, service: str, traces: Sequence[TraceSummary]) -> ConversationForm:
    ends = [one.end_ns for one in traces]
    costs = [one.cost_usd for one in traces if one.cost_usd is not None]
    return {
        "thread": thread,
        "service": service,
        "traces": len(traces),
        "start_ns": min(one.start_ns for one in traces),
        "end_ns": None if None in ends else max(end for end in ends if end is not None),
        "status": traces[0].status,
        "error_count": sum(one.error_count for one in traces),
        "input_tokens": sum(one.input_tokens for one in traces),
        "output_tokens": sum(one.output_tokens for one in traces),
        "cost_usd": sum(costs) if costs else None,
    }


def _compare(
    served: Served,
    a: Annotated[str, "Id of the first trace, or the unique beginning of it."],
    b: Annotated[str, "Id of the second trace, or the unique beginning of it."],
) -> ComparedRunsDocument:
    """Two runs step by step: what only one has, what did something else, from where on, and what follows from it."""
    one, other = (served.trace(trace_id) for trace_id in (a, b))
    found = one.run.diff(other.run)
    return compared_runs(found, found.outputs, [one.findings(), other.findings()])


def _metrics(
    served: Served,
    name: Annotated[str, "duration, input_tokens, output_tokens, cost or errors; of executions also model_time, ..."],
    by: Annotated[str, "run (all together), service, agent, node, tool or model."] = "run",
    window: Annotated[str | None, "By window of time: 1h, 1d."] = None,
    limit: Annotated[int, "How many traces to read at most, the newest."] = MOST_TRACES,
    **filters: Unpack[Filters],
) -> MetricsDocument:
    """Count, mean, percentiles and trend of a measure, in all and by window of time."""
    with served.apart() as source:
        found = source.metrics(name, by=by, window=window, limit=limit, **filters)
    return {"metrics": list(map(metric, found)), "limited": found.limited, "incomplete": found.incomplete}


def _statistics(
    served: Served,
    by: Annotated[str, "agent, node, tool or model."] = "agent",
    limit: Annotated[int, "How many traces to read at most, the newest."] = MOST_TRACES,
    **filters: Unpack[Filters],
) -> OverviewDocument:
    """Statistics over many runs: calls, errors, durations, cost."""
    with download_once(), served.apart() as source:
        found = source.executions(limit=limit, **filters)
    return {
        "statistics": list(map(statistics, found.by(by))),
        "runs": len({one.trace_id for one in found}),
        "limited": found.limited,
        "incomplete": found.incomplete,
    }


def _health(
    served: Served,
    window: Annotated[str, "How far back to look; what runs or waits now counts whenever it began."] = "1h",
    limit: Annotated[int, "How many traces to read at most, the newest."] = MOST_TRACES,
) -> HealthDocument:
    """Health of agents, workflows, recording processes and disk, each with why."""
    with served.apart() as source:
        return health(source.health(window=window, limit=limit))


def _alerts(served: Served) -> AlertsDocument:
    """Alerts as they were when rules were held against the store last; none where that was never done."""
    path = path_of(served.source.location)
    if not (served.live and path.exists()):
        return alerts(())
    with StateFile(path) as state:
        return alerts(state.alerts())


def _search(
    served: Served,
    text: Annotated[str, "In any case, wherever it stands in messages, arguments, results, errors."],
    limit: Annotated[int, "How many matches at most."] = 100,
    **filters: Unpack[Filters],
) -> MatchesDocument:
    """Messages and other content that hold a text, those of the newest trace first."""
    with served.apart() as source:
        return matches(source.search(text, limit=limit, **filters))


SOURCE = (
    Endpoint("/info", _info),
    Endpoint("/traces", _traces),
    Endpoint("/traces/{trace_id}", _trace),
    Endpoint("/conversations", _conversations),
    Endpoint("/compare", _compare),
    Endpoint("/metrics", _metrics),
    Endpoint("/statistics", _statistics),
    Endpoint("/health", _health),
    Endpoint("/alerts", _alerts),
    Endpoint("/search", _search),
)

__all__ = ["SOURCE"]
