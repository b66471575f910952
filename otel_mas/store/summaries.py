"""Lists of traces, one line about each, without looking at a span."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from otel_mas.model import Query, Span, TraceSummary
from otel_mas.model.incomplete import abandoned_spans
from otel_mas.model.query import SPAN_FIELDS
from otel_mas.semconv import attributes as names
from otel_mas.store.attributes import attribute_condition
from otel_mas.store.columns import POSITION
from otel_mas.store.liveness import FRESH_NS
from otel_mas.store.losses import trace_drops
from otel_mas.store.spans import open_spans
from otel_mas.store.statements import load, select

_FACET = "EXISTS (SELECT 1 FROM facets f WHERE f.trace = s.id AND f.facet = '{0}' AND f.value = :{1})"
_FACETS = {
    "service": "service",
    "agent": "agent",
    "conversation_id": "conversation",
    **{one: one for one in SPAN_FIELDS},
}
# A trace that still runs has lasted at least until now.
_LASTED = "(CASE WHEN running THEN :now_ns ELSE last_ns END) - start_ns"
_CONDITIONS = {
    **{field: _FACET.format(facet, field) for field, facet in _FACETS.items()},
    "status": "status = :status",
    "run_id": "EXISTS (SELECT 1 FROM trace_instances ti JOIN instances i ON i.id = ti.instance "
    "WHERE ti.trace = s.id AND i.run_id = :run_id)",
    "min_duration_ns": f"{_LASTED} >= :min_duration_ns",
    "max_duration_ns": f"{_LASTED} <= :max_duration_ns",
    "since_ns": "start_ns >= :since_ns",
    "until_ns": "start_ns <= :until_ns",
    "ended_since_ns": "(running OR last_ns >= :ended_since_ns)",
}
_SIMULATED = POSITION[names.MAS_COST_SIMULATED]
EVERYTHING = -1


def summaries(connection: sqlite3.Connection, query: Query, now_ns: int) -> list[TraceSummary]:
    """The traces that match, the newest first. A limit of `EVERYTHING` is none."""
    return _selected(connection, *statement_of(connection, query, now_ns), now_ns)


def summaries_of(connection: sqlite3.Connection, trace_ids: Sequence[str], now_ns: int) -> list[TraceSummary]:
    """Those of the traces with these ids that there are, the newest first."""
    found = select(connection, "SELECT id FROM traces", ("trace_id",), list(map(bytes.fromhex, trace_ids)))
    condition = "s.id IN (SELECT value FROM json_each(:keys))"
    statement, values = statement_of(connection, Query(limit=EVERYTHING), now_ns, condition)
    return _selected(connection, statement, {**values, "keys": json.dumps([key for (key,) in found])}, now_ns)


def _selected(
    connection: sqlite3.Connection, statement: str, values: Mapping[str, object], now_ns: int
) -> list[TraceSummary]:
    cursor = connection.execute(statement, values)
    fields = [name for name, *_ in cursor.description]
    rows = [dict(zip(fields, row, strict=True)) for row in cursor]
    keys = [row.pop("id") for row in rows]
    agents, dropped = _agents(connection, keys), trace_drops(connection, keys)
    found = []
    for key, row in zip(keys, rows, strict=True):
        dead = open_spans(connection, key, row["trace_id"], now_ns - FRESH_NS) if row.pop("dead") else ()
        row["incomplete"] = _missing(row["incomplete"], dropped.get(key), abandoned_spans(dead))
        row["simulated"] = bool(row["simulated"])
        found.append(TraceSummary(agents=agents.get(key, ()), **row))
    return found


def statement_of(
    connection: sqlite3.Connection, query: Query, now_ns: int, *more: str
) -> tuple[str, Mapping[str, object]]:
    """The statement that lists the traces that match, and its values; `more` are further conditions."""
    asked = query.asked()
    conditions = ["spans + running + dead > 0", *more, *(text for name, text in _CONDITIONS.items() if name in asked)]
    values: dict[str, object] = {
        "limit": query.limit,
        "now_ns": now_ns,
        "fresh_ns": now_ns - FRESH_NS,
        "simulated": _SIMULATED,
    }
    for attribute in asked.pop("attributes", ()):
        condition, its_values = attribute_condition(connection, attribute, len(conditions))
        conditions.append(condition)
        values.update(its_values)
    return load("summaries").replace("{conditions}", " AND ".join(conditions)), {**asked, **values}


def trace_incomplete(connection: sqlite3.Connection, trace: int, spans: Sequence[Span]) -> str | None:
    """The parts that are known to be missing from one trace, in words."""
    (incomplete,) = connection.execute("SELECT incomplete FROM traces WHERE id = ?", (trace,)).fetchone()
    return _missing(incomplete, trace_drops(connection, [trace]).get(trace), abandoned_spans(spans))


def _agents(connection: sqlite3.Connection, traces: list[int]) -> dict[int, tuple[str, ...]]:
    keys = [value for trace in traces for value in (trace, "agent")]
    found: dict[int, list[str]] = {}
    for trace, agent in sorted(select(connection, "SELECT trace, value FROM facets", ("trace", "facet"), keys)):
        found.setdefault(trace, []).append(agent)
    return {trace: tuple(agents) for trace, agents in found.items()}


def _missing(*parts: str | None) -> str | None:
    return "; ".join(part for part in parts if part) or None
