"""Records of `logging`: each one that a logger has let pass gets ids, and is kept from a level on.

The hook is in `Logger.callHandlers`, after the app's own `extra` and filters. A handler on the root logger would keep
`logging.basicConfig` from working; ids set by a record factory would clash with an app's `extra` of the same name.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import context as otel_context

from otel_mas.errors.log import logger as own_logger
from otel_mas.instrumentation.logs import keep
from otel_mas.instrumentation.logs.ids import NAMES, ids_of
from otel_mas.instrumentation.logs.inside import enter, leave
from otel_mas.instrumentation.patches import Hook, HookTable
from otel_mas.record import SPAN_KEY, guarded

_STANDARD: Final = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", *NAMES}
_OTHERS: Final = ("otel", "_")  # of OpenTelemetry's own instrumentation, and of formatters
_OWN: Final = f"{own_logger.name}."


def call_handlers(original: Callable[..., Any]) -> Callable[..., Any]:
    """`Logger.callHandlers`."""

    @functools.wraps(original)
    def call_handlers(self: Any, record: Any) -> Any:
        if SPAN_KEY in otel_context.get_current():
            _inside(record)
        return original(self, record)

    return call_handlers


@guarded("logs: record")
def _inside(record: logging.LogRecord) -> None:
    """Treat a record that was made inside of a span."""
    if record.name == own_logger.name or record.name.startswith(_OWN):
        return
    span = enter()
    if span is None:
        return
    try:
        fields = record.__dict__
        for name, value in ids_of(span).items():
            if name not in fields:
                fields[name] = value
        if keep.wanted(record.levelno):
            _keep(span, record)
    finally:
        leave()


def _keep(span: Any, record: logging.LogRecord) -> None:
    try:
        message = record.getMessage()
    except Exception:  # arguments that do not fit, which `logging` reports to the app itself
        message = str(record.msg)
    keep.keep(
        span,
        time_ns=int(record.created * 1e9),
        severity=record.levelname,
        level=record.levelno,
        logger=record.name,
        message=message,
        source=f"{record.filename}:{record.lineno}",
        error=record.exc_info[1] if record.exc_info else None,
        attributes=fields_of(record),
    )


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Further fields that the app gave a record, by `extra` or a filter."""
    return {
        name: value for name, value in record.__dict__.items() if name not in _STANDARD and not name.startswith(_OTHERS)
    }


HOOK_TABLE = HookTable(
    "Python",
    (Hook("logging", "Logger", "callHandlers", ("self", "record"), call_handlers),),
    "log records are not kept",
)

__all__ = ["HOOK_TABLE", "fields_of"]
