"""Log records of apps, kept as content of the span that they were logged in, as recording keeps them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import orjson

from otel_mas.otlp.decode import decode_scope, decode_value
from otel_mas.otlp.nesting import parsed
from otel_mas.otlp.split import ResourcePart
from otel_mas.privacy.plain_values import cut_texts
from otel_mas.receiver.otlp.outcome import Outcome
from otel_mas.semconv import attributes as names
from otel_mas.store.imported import ImportedPrivacy
from otel_mas.store.rows import ContentRow

MAX_RECORDS: Final = 10_000
"""Records that are kept of one span."""
_MAX_SPANS: Final = 4096  # whose records are counted; one that comes after so many others begins anew
_MAX_TEXT: Final = 1 << 16
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)
_EXCEPTION: Final = {
    names.EXCEPTION_TYPE: "type",
    names.EXCEPTION_MESSAGE: "message",
    names.EXCEPTION_STACKTRACE: "stacktrace",
}
_SOURCE: Final = (("code.file.path", "code.line.number"), ("code.filepath", "code.lineno"))


class LogRows:
    """Makes rows of log records, for one thread.

    Args:
        privacy: the treatment of each record; None keeps them as they come.
    """

    def __init__(self, privacy: ImportedPrivacy | None = None) -> None:
        self._privacy = privacy
        self._counts: dict[tuple[bytes, bytes], int] = {}

    def add(self, part: ResourcePart, outcome: Outcome) -> list[ContentRow]:
        """The rows of a resource's records. Those of no span, and those past the bound, are rejected.

        Raises:
            ValueError: it is not OTLP.
        """
        rows = []
        without_span = too_many = 0
        for of_scope in part.scopes:
            logger = decode_scope(of_scope.scope).name
            for encoded in of_scope.items:
                record = parsed(_record_message()(), encoded)
                key = record.trace_id, record.span_id
                if len(key[0]) != 16 or len(key[1]) != 8 or key[0] == _NO_TRACE or key[1] == _NO_SPAN:
                    without_span += 1
                elif self._is_past_bound(key):
                    too_many += 1
                else:
                    rows.append(ContentRow(*key, names.MAS_LOG_RECORDS, self._value(record, logger)))
        outcome.accepted += len(rows)
        outcome.reject(without_span, f"{without_span} log records of no span: they are kept with the span of their ids")
        outcome.reject(too_many, f"{too_many} log records: no more than {MAX_RECORDS:,} are kept of a span")
        return rows

    def _is_past_bound(self, key: tuple[bytes, bytes]) -> bool:
        number = self._counts.get(key, 0)
        if not number and len(self._counts) >= _MAX_SPANS:
            self._counts.pop(next(iter(self._counts)))
        self._counts[key] = number + 1
        return number >= MAX_RECORDS

    def _value(self, record: Any, logger: str) -> bytes:
        attributes = {pair.key: decode_value(pair.value) for pair in record.attributes}
        body = decode_value(record.body)
        found: dict[str, Any] = {
            "time_ns": record.time_unix_nano or record.observed_time_unix_nano,
            "severity": record.severity_text or _severity(record.severity_number),
            "severity_number": record.severity_number,
            "logger": logger,
            "message": record.event_name if body is None else _text(body),
        }
        if source := _source(attributes):
            found["source"] = source
        error = {field: _text(attributes.pop(name)) for name, field in _EXCEPTION.items() if name in attributes}
        if error:
            found["exception"] = error
        if attributes:
            found["attributes"] = attributes
        found = orjson.loads(_json(cut_texts(found, _MAX_TEXT)))
        if self._privacy is not None:
            found = self._privacy.log_record(found)
        return orjson.dumps(found)


def _source(attributes: Mapping[str, Any]) -> str:
    for file, line in _SOURCE:
        if file in attributes:
            number = attributes.get(line)
            return f"{attributes[file]}:{number}" if number is not None else str(attributes[file])
    return ""


def _severity(number: int) -> str:
    """The short name of a severity number, by the log data model."""
    levels = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
    return levels[(number - 1) // 4] if 1 <= number <= 24 else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value).decode()


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> str:
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


@cache
def _record_message() -> Any:
    from opentelemetry.proto.logs.v1 import logs_pb2

    return logs_pb2.LogRecord


__all__ = ["MAX_RECORDS", "LogRows"]
