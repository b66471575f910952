"""Recording processes and the store's disk, as far as a store knows them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFigures:
    """Figures of a process at a heartbeat; None where they cannot be known."""

    rss_bytes: int | None = None
    """Memory that it holds."""
    cpu: float | None = None
    """Processors that it kept busy since the heartbeat before."""
    queue_spans: int | None = None
    """Ended spans that wait to be written."""
    queue_limit: int | None = None
    loop_lag_ns: int | None = None
    """The longest that an event loop was blocked since the heartbeat before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingProcess:
    """A process that records into a store, or did."""

    service: str
    run_id: str | None
    started_ns: int
    heartbeat_ns: int
    """Its last sign of life."""
    alive: bool
    """It beat a moment ago."""
    finished: bool
    """It said that it ended."""
    open_spans: int
    dropped: int
    """Spans that it lost."""
    figures: ProcessFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDisk:
    """Sizes of a store and of its disk, in bytes."""

    store_bytes: int
    cap_bytes: int
    """OTEL_MAS_MAX_STORE_BYTES; 0 for none."""
    free_bytes: int
    total_bytes: int


__all__ = ["ProcessFigures", "RecordingProcess", "StoreDisk"]
