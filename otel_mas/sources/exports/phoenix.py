"""Phoenix's database, read in place: the SQLite file in its working folder, `phoenix.db`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import orjson

from otel_mas.model import StatusCode
from otel_mas.sources.exports.database import has_columns, opened
from otel_mas.sources.exports.source import ExportSource
from otel_mas.sources.exports.spans import ExportedEvent, ExportedSpan, iso_ns

_SPANS: Final = """
SELECT traces.trace_id, spans.span_id, spans.parent_id, spans.name, spans.start_time, spans.end_time,
  json(spans.attributes) AS attributes, json(spans.events) AS events, spans.status_code, spans.status_message,
  projects.name AS project
FROM spans JOIN traces ON traces.id = spans.trace_rowid JOIN projects ON projects.id = traces.project_rowid
ORDER BY traces.id, spans.id
"""
_JSON_TEXTS: Final = ("metadata", "tool.parameters", "llm.prompt_template.variables", "document.metadata")
"""Attributes that are JSON text in OpenInference, and structures in Phoenix."""


class PhoenixDatabase(ExportSource):
    """Databases of Phoenix. Spans have OpenInference's attributes, as they came; the project is the service."""

    reads: ClassVar[str] = "Phoenix's SQLite database, in place"
    form: ClassVar[str] = "database of Phoenix"
    suffixes: ClassVar[tuple[str, ...]] = (".db", ".sqlite", ".sqlite3")

    @staticmethod
    def is_one(path: Path) -> bool:
        return has_columns(path, "spans", ("trace_rowid", "span_id", "span_kind", "attributes", "events"))

    @classmethod
    def spans(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        with opened(path) as database:
            for row in database.execute(_SPANS):
                try:
                    yield _span(row)
                except (KeyError, TypeError, ValueError) as error:
                    problems.append(f"leaves out span {row['span_id']}, which cannot be read: {error!r}")


def _span(row: Any) -> ExportedSpan:
    attributes = dict(_flat("", orjson.loads(row["attributes"])))
    return ExportedSpan(
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        parent_id=row["parent_id"],
        name=row["name"],
        start_ns=iso_ns(row["start_time"]),
        end_ns=iso_ns(row["end_time"]),
        status=StatusCode[row["status_code"]],
        message=row["status_message"],
        attributes=attributes,
        events=[
            ExportedEvent(one["name"], iso_ns(one["timestamp"]), one.get("attributes") or {})
            for one in orjson.loads(row["events"])
        ],
        service=row["project"],
    )


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The attributes as they were sent: `llm.input_messages.0.message.role`."""
    if name in _JSON_TEXTS and not isinstance(value, str):
        yield name, orjson.dumps(value).decode()
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for number, inner in enumerate(value):
            yield from _flat(f"{name}.{number}", inner)
    else:
        yield name, value


__all__ = ["PhoenixDatabase"]
