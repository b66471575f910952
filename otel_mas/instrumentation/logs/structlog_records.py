"""Records of structlog: a processor that the app puts into its chain.

There is no hook: one around `BoundLogger` would be a frame of its own, which structlog's `CallsiteParameterAdder`
takes for the caller.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from otel_mas.instrumentation.logs import keep
from otel_mas.instrumentation.logs.ids import NAMES, ids_of
from otel_mas.instrumentation.logs.inside import recorded_span
from otel_mas.record import guarded

_LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "msg": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "err": logging.ERROR,
    "failure": logging.ERROR,
    "exception": logging.ERROR,
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}
_NOT_FIELDS: Final = frozenset({"event", "exc_info", "stack_info", "level", "timestamp", "logger", *NAMES})


def structlog_processor(logger: Any, method_name: str, event_dict: MutableMapping[str, Any]) -> Any:
    """Add ids to an event, under names that it does not have yet, and keep it beside its span.

    A processor of structlog, to be put before the renderer and `format_exc_info`. Events that go on to `logging` are
    kept there.
    """
    _process(logger, method_name, event_dict)
    return event_dict


@guarded("logs: structlog")
def _process(logger: Any, method_name: str, event: MutableMapping[str, Any]) -> None:
    with recorded_span() as span:
        if span is None:
            return
        level = _LEVELS.get(method_name, logging.INFO)
        if keep.wanted(level) and not isinstance(logger, logging.Logger):
            keep.keep(
                span,
                time_ns=time.time_ns(),
                severity=logging.getLevelName(level),
                level=level,
                logger=str(event.get("logger") or "structlog"),
                message=str(event.get("event")),
                error=_error(event.get("exc_info")),
                attributes=_fields(event),
            )
        for name, value in ids_of(span).items():
            event.setdefault(name, value)


def _fields(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in _NOT_FIELDS and not name.startswith("_")}


def _error(given: Any) -> BaseException | None:
    if isinstance(given, tuple) and len(given) == 3:
        given = given[1]
    elif given and not isinstance(given, BaseException):
        given = sys.exc_info()[1]
    return given if isinstance(given, BaseException) else None


__all__ = ["structlog_processor"]
