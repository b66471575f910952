"""Records of loguru: a patcher, installed where the app has none."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any

from otel_mas.instrumentation import import_hooks
from otel_mas.instrumentation.logs import keep
from otel_mas.instrumentation.logs.ids import ids_of
from otel_mas.instrumentation.logs.inside import recorded_span
from otel_mas.record import guarded

_MODULE = "loguru"


@guarded("logs: loguru")
def loguru_patcher(record: MutableMapping[str, Any]) -> None:
    """Add ids to `record["extra"]`, and keep the record beside its span. For `logger.configure(patcher=...)`."""
    with recorded_span() as span:
        if span is None:
            return
        extra = record["extra"]
        given = dict(extra)
        for name, value in ids_of(span).items():
            extra.setdefault(name, value)
        level = record["level"]
        if keep.wanted(level.no):
            error = record["exception"]
            keep.keep(
                span,
                time_ns=int(record["time"].timestamp() * 1e9),
                severity=level.name,
                level=level.no,
                logger=str(record["name"]),
                message=str(record["message"]),
                source=f"{record['file'].name}:{record['line']}",
                error=None if error is None else error.value,
                attributes=given,
            )


def _install(module: str) -> None:
    logger: Any = sys.modules[module].logger
    if logger._core.patcher is None:  # the app's own stays: `logger.patch(loguru_patcher)` joins them
        logger.configure(patcher=loguru_patcher)


def install() -> None:
    """Set the patcher when loguru is imported, at once where it is."""
    import_hooks.when_imported(_MODULE, _install)


def uninstall() -> None:
    """Take the patcher away where it is still there."""
    import_hooks.forget(_install)
    core: Any = getattr(getattr(sys.modules.get(_MODULE), "logger", None), "_core", None)
    if getattr(core, "patcher", None) is loguru_patcher:
        core.patcher = None


__all__ = ["install", "loguru_patcher", "uninstall"]
