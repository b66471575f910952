"""Lists of traces, one line about each, without looking at a span."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from otel_mas.model import Query, Span, TraceSummary
from otel_mas.model.abandoned_spans import unended
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import POSITION
from otel_mas.store.drops import trace_drops
from otel_mas.store.liveness import FRESH_NS
from otel_mas.store.spans import open_spans
from otel_mas.store.statements import load

_FACET = "EXISTS (SELECT 1 FROM facets f WHERE f.trace = s.id AND f.facet = '{0}' AND f.value = :{0})"
_CONDITIONS = {
    "service": _FACET.format("service"),
    "agent": _FACET.format("agent"),
    "conversation": _FACET.format("conversation"),
    "status": "status = :status",
    "run_id": "EXISTS (SELECT 1 FROM trace_instances ti JOIN instances i ON i.id = ti.instance "
    "WHERE ti.trace = s.id AND i.run_id = :run_id)",
    # What is still running has lasted at least until now.
    "min_duration_ns": "(CASE WHEN running THEN :now_ns ELSE last_ns END) - start_ns >= :min_duration_ns",
    "since_ns": "start_ns >= :since_ns",
}
_CHUNK = 500
_SIMULATED = POSITION[names.MAS_COST_SIMULATED]
EVERYTHING = -1


def summaries(connection: sqlite3.Connection, query: Query, now_ns: int) -> list[TraceSummary]:
    """The traces that match, the newest first. A limit of `EVERYTHING` is none."""
    asked: dict[str, object] = {
        "service": query.service,
        "agent": query.agent,
        "conversation": query.conversation_id,
        "status": query.status,
        "run_id": query.run_id,
        "min_duration_ns": query.min_duration_ns,
        "since_ns": query.since_ns,
    }
    conditions = [_CONDITIONS[name] for name, value in asked.items() if value is not None]
    rows = connection.execute(
        load("summaries").replace("{conditions}", " AND ".join(["spans + running + dead > 0", *conditions])),
        {**asked, "limit": query.limit, "now_ns": now_ns, "fresh_ns": now_ns - FRESH_NS},
    ).fetchall()
    agents = _agents(connection, [row[0] for row in rows])
    dropped = trace_drops(connection, [row[0] for row in rows])
    return [
        _summary(row, agents.get(row[0], ()), dropped.get(row[0]), _stopped(connection, row, now_ns - FRESH_NS))
        for row in rows
    ]


def trace_incomplete(connection: sqlite3.Connection, trace: int, spans: Sequence[Span]) -> str | None:
    """What is known to be missing from one trace, in words."""
    (said,) = connection.execute("SELECT incomplete FROM traces WHERE id = ?", (trace,)).fetchone()
    return _missing(said, trace_drops(connection, [trace]).get(trace), unended(spans))


def chunks(items: Sequence[object]) -> Iterator[tuple[str, Sequence[object]]]:
    """Items in parts that fit into one statement, each with its `?, ?, ?`."""
    for start in range(0, len(items), _CHUNK):
        part = items[start : start + _CHUNK]
        yield ", ".join("?" * len(part)), part


def _agents(connection: sqlite3.Connection, traces: list[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, list[str]] = {}
    for marks, part in chunks(traces):
        for trace, agent in connection.execute(
            f"SELECT trace, value FROM facets WHERE facet = 'agent' AND trace IN ({marks}) ORDER BY value", part
        ):
            found.setdefault(trace, []).append(agent)
    return {trace: tuple(agents) for trace, agents in found.items()}


def _stopped(connection: sqlite3.Connection, row: tuple[Any, ...], fresh_ns: int) -> str | None:
    trace, trace_id, dead = row[0], row[1], row[9]
    return unended(open_spans(connection, trace, trace_id.hex(), fresh_ns)) if dead else None


def _summary(row: tuple[Any, ...], agents: tuple[str, ...], *missing: str | None) -> TraceSummary:
    (
        _, trace_id, name, service, start_ns, last_ns, status, spans, running, dead, errors, conversation,
        input_tokens, output_tokens, cost_usd, unpriced, present, incomplete,
    ) = row  # fmt: skip
    return TraceSummary(
        trace_id=trace_id.hex(),
        name=name or "",
        service=service or "",
        start_ns=start_ns,
        end_ns=None if running else last_ns,
        status=status,
        span_count=spans + running + dead,
        error_count=errors,
        agents=agents,
        conversation_id=conversation,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cost_usd=cost_usd,
        unpriced_calls=unpriced,
        simulated=bool(present >> _SIMULATED & 1),  # said of none but such
        incomplete=_missing(incomplete, *missing),
    )


def _missing(*said: str | None) -> str | None:
    parts = [part for part in said if part]
    return "; ".join(parts) or None
