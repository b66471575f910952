"""The local store, one SQLite file: `StoreWriter` writes, `StoreReader` reads traces, `log` serves destinations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_mas.store.reader import StoreReader
    from otel_mas.store.writer import StoreWriter

__all__ = ["StoreReader", "StoreWriter"]


def __getattr__(name: str) -> Any:
    # Recording does not load the reader, nor reading the writer.
    if name == "StoreWriter":
        from otel_mas.store.writer import StoreWriter

        return StoreWriter
    if name == "StoreReader":
        from otel_mas.store.reader import StoreReader

        return StoreReader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
