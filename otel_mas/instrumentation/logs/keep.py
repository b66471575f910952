"""Copies of log records beside their span: bounded in size and number, redacted and written by the writer's thread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.trace import Span

from otel_mas.config.parse import severity_number
from otel_mas.instrumentation.logs.ids import ids_of
from otel_mas.privacy.plain_values import cut_texts
from otel_mas.record import recorder
from otel_mas.record.failure import describe, error_type
from otel_mas.semconv import attributes as names

MAX_RECORDS: Final = 128
"""Records that are kept of one span. A further one says that there are more."""
_MAX_SPANS: Final = 4096  # whose records are counted; one that comes after so many others begins anew
_OF_SPAN: Final = frozenset({"trace_id", "span_id"})  # which the record is kept with
_MAX_MESSAGE: Final = 8192
_MAX_STACK: Final = 16_384
_MAX_ATTRIBUTES: Final = 32
_MORE: Final = f"more than {MAX_RECORDS} records of this span: the others are not kept"
_kept: dict[tuple[int, int], int] = {}
_least = 0


def keep(
    span: Span,
    *,
    time_ns: int,
    severity: str,
    level: int,
    logger: str,
    message: str,
    source: str = "",
    error: BaseException | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Keep a log record beside an open span.

    Args:
        span: the span that it was logged in.
        time_ns: when, in nanoseconds since the Unix epoch.
        severity: the level's name, as the library has it.
        level: the level's number in `logging`, which the other libraries share.
        logger: the logger's name.
        message: with its arguments; a long one is cut.
        source: the file and line.
        error: the exception that is logged with it.
        attributes: further fields that the app gave it; of many only the first.
    """
    key = span.get_span_context()[:2]
    number = _kept.get(key, 0)
    if number > MAX_RECORDS:
        return
    if not number and len(_kept) >= _MAX_SPANS:
        _kept.pop(next(iter(_kept), key), None)
    _kept[key] = number + 1
    ids = {name: value for name, value in ids_of(span).items() if name not in _OF_SPAN}
    record: dict[str, Any] = {"time_ns": time_ns, "severity": severity, "severity_number": severity_number(level)}
    if number == MAX_RECORDS:
        record |= {"logger": "otel_mas", "message": _MORE}
    else:
        record |= {"logger": logger, "message": cut_texts(message, _MAX_MESSAGE), **_further(source, error, attributes)}
    if ids:
        record["ids"] = ids
    recorder().content(span, names.MAS_LOG_RECORDS, record)


def _further(source: str, error: BaseException | None, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields that not every record has."""
    found: dict[str, Any] = {"source": source} if source else {}
    if error is not None:
        text, stack = describe(error)
        message = cut_texts(text, _MAX_MESSAGE)
        found["exception"] = {"type": error_type(error), "message": message, "stacktrace": stack[-_MAX_STACK:]}
    if attributes:
        found["attributes"] = dict(list(attributes.items())[:_MAX_ATTRIBUTES])
    return found


def wanted(level: int) -> bool:
    """Whether records of this level are kept."""
    return 0 < _least <= level


def begin(level: int) -> None:
    """Keep records from this level on, none where it is 0; count anew."""
    global _least
    _least = level
    _kept.clear()


__all__ = ["MAX_RECORDS", "begin", "keep", "wanted"]
