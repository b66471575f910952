"""The hooks into the logging libraries, on and off."""

from __future__ import annotations

from otel_mas.instrumentation.logs import keep, loguru_records, stdlib


def set_level(level: int) -> None:
    """Keep log records from this level of `logging` on; 0 takes all hooks away."""
    keep.begin(level)
    if level:
        stdlib.HOOK_TABLE.patch()
        loguru_records.install()
    else:
        loguru_records.uninstall()
        stdlib.HOOK_TABLE.unpatch()


__all__ = ["set_level"]
