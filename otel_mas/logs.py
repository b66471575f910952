"""Log records with the ids of what was going on, for handlers, processors and files of the app's own.

A record inside of a recorded span gets `trace_id`, `span_id`, `workflow`, `agent`, `task` and `task_id`, and the ids of
what the run belongs to: `conversation_id`, `user_id`, `session_id`, `turn_id`, `request_id`, `workflow_id` and
`mission_id`; those that are known. Under `otel_mas.instrument()` records of `logging` have them by themselves.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import shutil
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from typing import Any

from otel_mas.instrumentation.logs.ids import NAMES, ids_of
from otel_mas.instrumentation.logs.inside import recorded_span
from otel_mas.instrumentation.logs.loguru_records import loguru_patcher
from otel_mas.instrumentation.logs.stdlib import fields_of
from otel_mas.instrumentation.logs.structlog_records import structlog_processor

MAX_BYTES = 100 * 2**20
"""Bytes of a file before it is full."""
BACKUPS = 10


class Filter(logging.Filter):
    """Sets the ids of every record of a handler, empty where there are none: for a format with `%(trace_id)s`.

    It lets every record pass, and works whether or not anything is recorded.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the ids that the record does not have yet; always true."""
        with recorded_span() as span:
            known = {} if span is None else ids_of(span)
        for name in NAMES:
            if not hasattr(record, name):
                setattr(record, name, known.get(name, ""))
        return True


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON: time, level, logger, message, ids, exception, and the app's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name in NAMES if (value := getattr(record, name, ""))}
        line["source"] = f"{record.filename}:{record.lineno}"
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        for name, value in fields_of(record).items():
            line.setdefault(name, value)
        return json.dumps(line, ensure_ascii=False, default=str)


class _GzipFiles(RotatingFileHandler):
    """Full files are gzipped, and all are private."""

    def _open(self) -> Any:
        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=_private)

    def rotation_filename(self, default_name: str) -> str:
        """The name of a full file."""
        return f"{default_name}.gz"

    def rotate(self, source: str, dest: str) -> None:
        """Gzip a full file. It is there whole under one of the names, also where the process is killed."""
        part = f"{dest}.part"
        with (
            open(source, "rb") as full,
            open(part, "wb", opener=_private) as file,
            gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=1) as packed,
        ):
            shutil.copyfileobj(full, packed, 1 << 20)
        os.replace(part, dest)
        os.remove(source)


def json_file(
    path: str | os.PathLike[str],
    *,
    max_bytes: int = MAX_BYTES,
    backups: int = BACKUPS,
    level: int | str = logging.NOTSET,
    logger: logging.Logger | None = None,
) -> logging.Handler:
    """Write log records into a file as JSON lines, with their ids.

    A full file becomes `path.1.gz`, the one before it `path.2.gz`, and so on. Files have mode 0600. Records are written
    as the app made them: they are not redacted.

    Args:
        path: the file. One process writes it: for several, put the process's id into the name.
        max_bytes: its size at which the next one begins.
        backups: full files that are kept; at 0 the file is emptied when it is full.
        level: of `logging`, from which on records are written.
        logger: gets the handler; the root logger by default.

    Returns:
        The handler, for `removeHandler` and `close`.

    Raises:
        OSError: the file cannot be opened.
    """
    handler = _GzipFiles(path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8")
    handler.setLevel(level)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(Filter())
    (logging.getLogger() if logger is None else logger).addHandler(handler)
    return handler


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


__all__ = ["BACKUPS", "MAX_BYTES", "Filter", "JsonFormatter", "json_file", "loguru_patcher", "structlog_processor"]
