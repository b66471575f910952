"""MLflow's database, read in place: the SQLite file of its tracking server, such as `mlflow.db`."""

from __future__ import annotations

from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import orjson

from otel_mas.dialects.reading import parsed_json
from otel_mas.model import StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.sources.exports.database import has_columns, opened
from otel_mas.sources.exports.source import ExportSource
from otel_mas.sources.exports.spans import ExportedEvent, ExportedSpan

_SPANS: Final = """
SELECT spans.trace_id AS request_id, spans.content, experiments.name AS experiment
FROM spans JOIN experiments ON experiments.experiment_id = spans.experiment_id
ORDER BY spans.trace_id, spans.start_time_unix_nano
"""
_METADATA: Final = "SELECT request_id, key, value FROM trace_request_metadata WHERE key IN (?, ?)"
_SESSIONS: Final = "SELECT request_id, session_id FROM trace_info WHERE session_id IS NOT NULL"
"""Newer versions keep the session here."""
_SESSION, _USER = "mlflow.trace.session", "mlflow.trace.user"
_STATUSES: Final = {"STATUS_CODE_OK": StatusCode.OK, "STATUS_CODE_ERROR": StatusCode.ERROR}


class MlflowDatabase(ExportSource):
    """Databases of MLflow 3. Spans have MLflow's attributes; the experiment is the service, the session the
    conversation."""

    reads: ClassVar[str] = "MLflow's SQLite database, in place"
    form: ClassVar[str] = "database of MLflow 3"
    suffixes: ClassVar[tuple[str, ...]] = (".db", ".sqlite", ".sqlite3")

    @staticmethod
    def is_one(path: Path) -> bool:
        return has_columns(path, "spans", ("trace_id", "experiment_id", "span_id", "content", "start_time_unix_nano"))

    @classmethod
    def spans(cls, path: Path, problems: list[str]) -> Iterator[ExportedSpan]:
        with opened(path) as database:
            of_traces: dict[str, dict[str, str]] = defaultdict(dict)
            for row in database.execute(_METADATA, (_SESSION, _USER)):
                of_traces[row["request_id"]][row["key"]] = row["value"]
            if has_columns(path, "trace_info", ("session_id",)):
                for row in database.execute(_SESSIONS):
                    of_traces[row["request_id"]][_SESSION] = row["session_id"]
            for row in database.execute(_SPANS):
                try:
                    yield _span(orjson.loads(row["content"]), of_traces[row["request_id"]], row["experiment"])
                except (KeyError, TypeError, ValueError) as error:
                    problems.append(f"leaves out a span of {row['request_id']}, which cannot be read: {error!r}")


def _span(span: Mapping[str, Any], of_trace: Mapping[str, str], experiment: str) -> ExportedSpan:
    given = {key: parsed_json(value) for key, value in span["attributes"].items()}
    status = span["status"]
    attributes = {key: _attribute(value) for key, value in given.items()}
    if _SESSION in of_trace:
        attributes[names.GEN_AI_CONVERSATION_ID] = of_trace[_SESSION]
    if _USER in of_trace:
        attributes[names.USER_ID] = of_trace[_USER]
    return ExportedSpan(
        trace_id=b64decode(span["trace_id"]).hex(),
        span_id=b64decode(span["span_id"]).hex(),
        parent_id=b64decode(span["parent_span_id"]).hex() if span.get("parent_span_id") else None,
        name=span["name"],
        start_ns=span["start_time_unix_nano"],
        end_ns=span.get("end_time_unix_nano"),
        status=_STATUSES.get(status["code"], StatusCode.UNSET),
        message=status.get("message", ""),
        attributes=attributes,
        events=[
            ExportedEvent(one["name"], one["time_unix_nano"], one.get("attributes") or {})
            for one in span.get("events") or ()
        ],
        links=[
            (one["trace_id"].removeprefix("tr-"), one["span_id"], one.get("attributes") or {})
            for one in span.get("links") or ()
        ],
        service=experiment,
    )


def _attribute(value: Any) -> Any:
    """Structures stay the JSON text that they are in MLflow."""
    return orjson.dumps(value).decode() if isinstance(value, Mapping | list) else value


__all__ = ["MlflowDatabase"]
