"""Content on the spans of other instrumentation and on imported ones, which is in their bodies and nowhere else.

Content of spans that were recorded here is in tables; their bodies are not looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from otel_mas.dialects import OWN_SCOPE
from otel_mas.model import Scope, Span
from otel_mas.otlp.decode import decode_body
from otel_mas.otlp.span_content import TraceContent

CARRY_CONTENT = (
    "s.version = 0 AND (s.scope IN (SELECT id FROM scopes WHERE name <> ?) OR s.instance IN "
    "(SELECT id FROM instances WHERE service = ''))"  # an import, of whatever services
)
"""Condition on a row `s` of spans, with `OWN_SCOPE` as its value."""
_OTHERS = f"FROM spans s WHERE s.trace = ? AND {CARRY_CONTENT}"
_NONE = TraceContent()


class CarriedContent:
    """Reads it, and remembers that of the last trace: its messages and other content are asked for one by one."""

    def __init__(self) -> None:
        self._key: tuple[int, int] | None = None
        self._found = _NONE

    def of(self, connection: sqlite3.Connection, trace: int, trace_id: str) -> TraceContent:
        """Content of these spans of a trace."""
        (last,) = connection.execute(f"SELECT max(s.id) {_OTHERS}", (trace, OWN_SCOPE)).fetchone()
        if last is None:
            return _NONE
        if self._key != (trace, last):
            self._found = TraceContent.of(_spans(connection, trace, trace_id))
            self._key = trace, last
        return self._found


def carrying_traces(connection: sqlite3.Connection) -> list[str]:
    """Ids of the traces that have such spans, the newest first."""
    rows = connection.execute(
        "SELECT t.trace_id FROM traces t WHERE EXISTS "
        f"(SELECT 1 FROM spans s WHERE s.trace = t.id AND {CARRY_CONTENT}) ORDER BY t.id DESC",
        (OWN_SCOPE,),
    )
    return [trace_id.hex() for (trace_id,) in rows]


def _spans(connection: sqlite3.Connection, trace: int, trace_id: str) -> Iterator[Span]:
    rows = connection.execute(
        "SELECT s.span_id, s.name, s.start_ns, s.end_ns, s.body, (SELECT name FROM scopes c WHERE c.id = s.scope) "
        f"{_OTHERS} ORDER BY s.start_ns, s.id",
        (trace, OWN_SCOPE),
    )
    for span_id, name, start_ns, end_ns, body, scope in rows:
        try:
            decoded = decode_body(body)
        except (ValueError, TypeError):
            continue  # `otel-mas store check` lists it
        yield Span.complete(
            decoded,
            trace_id=trace_id,
            span_id=span_id.hex(),
            parent_span_id=None,
            name=name or "",
            start_ns=start_ns,
            end_ns=end_ns,
            scope=Scope(scope or ""),
        )
