"""Content on the spans of other instrumentation, which the store has in their bodies and nowhere else.

Content of our own spans is in tables; their bodies are not looked at.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from otel_mas.model import Scope, Span
from otel_mas.otlp.decode import decode_body
from otel_mas.otlp.span_content import OWN_SCOPE, TraceContent

_OTHERS = "FROM spans WHERE trace = ? AND version = 0 AND scope IN (SELECT id FROM scopes WHERE name <> ?)"
_NONE = TraceContent()


class CarriedContent:
    """Reads it, and remembers that of the last trace: its messages and other content are asked for one by one."""

    def __init__(self) -> None:
        self._key: tuple[int, int] | None = None
        self._found = _NONE

    def of(self, connection: sqlite3.Connection, trace: int, trace_id: str) -> TraceContent:
        """Content of the trace's spans of other instrumentation."""
        (last,) = connection.execute(f"SELECT max(id) {_OTHERS}", (trace, OWN_SCOPE)).fetchone()
        if last is None:
            return _NONE
        if self._key != (trace, last):
            self._found = TraceContent.of(_spans(connection, trace, trace_id))
            self._key = trace, last
        return self._found


def _spans(connection: sqlite3.Connection, trace: int, trace_id: str) -> Iterator[Span]:
    rows = connection.execute(
        f"SELECT span_id, name, start_ns, end_ns, body {_OTHERS} ORDER BY start_ns, id", (trace, OWN_SCOPE)
    )
    for span_id, name, start_ns, end_ns, body in rows:
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
            scope=Scope(),
        )
