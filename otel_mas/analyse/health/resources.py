"""Health of what recording needs: its processes, their queues and event loops, and the store's disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from otel_mas.analyse.health.status import HealthStatus, Reasons
from otel_mas.config.thresholds import Thresholds
from otel_mas.model.processes import RecordingProcess, StoreDisk

_S = 10**9
_SERVER = "otel-mas serve"
_SAFE = 0.01  # share of the disk that is free, below which writing fails soon


@dataclass(frozen=True, slots=True)
class ResourceHealth:
    """A recording process, or the store's disk. `figures` are by name, with the unit in it; None where not known."""

    kind: str
    """"process" or "disk"."""
    name: str
    status: HealthStatus
    reasons: tuple[str, ...]
    figures: Mapping[str, float | None]


def resource_health(
    processes: Sequence[RecordingProcess], disk: StoreDisk | None, now_ns: int, thresholds: Thresholds
) -> tuple[ResourceHealth, ...]:
    """A row for each process that has not said that it ended, and one for the disk."""
    found = [_process(one, now_ns, thresholds) for one in processes if not one.finished]
    return (*found, *([] if disk is None else [_disk(disk, thresholds)]))


def _process(one: RecordingProcess, now_ns: int, thresholds: Thresholds) -> ResourceHealth:
    figures, reasons = one.figures, Reasons()
    quiet_s = max(0, now_ns - one.heartbeat_ns) / _S
    if not one.alive and one.open_spans:
        reasons.add(HealthStatus.UNHEALTHY, f"it stopped {quiet_s:,.0f} s ago with {one.open_spans:,} spans open")
    elif not one.alive:
        reasons.add(HealthStatus.UNKNOWN, f"no sign of life for {quiet_s:,.0f} s; it did not say that it ended")
    elif figures.queue_limit and (figures.queue_spans or 0) >= thresholds.health_queue_share * figures.queue_limit:
        reasons.add(HealthStatus.DEGRADED, f"{figures.queue_spans:,} of {figures.queue_limit:,} spans in its queue")
    if one.dropped:
        reasons.add(HealthStatus.DEGRADED, f"it dropped {one.dropped:,} spans")
    if one.alive and (figures.loop_lag_ns or 0) >= thresholds.health_event_loop_lag_s * _S:
        reasons.add(HealthStatus.DEGRADED, f"its event loop was blocked for {(figures.loop_lag_ns or 0) / _S:.3g} s")
    return ResourceHealth(
        kind="process",
        name=one.service or _SERVER,
        status=reasons.status,
        reasons=reasons.texts,
        figures={
            "rss_bytes": figures.rss_bytes,
            "cpu": figures.cpu,
            "queue_spans": figures.queue_spans,
            "queue_limit": figures.queue_limit,
            "event_loop_lag_s": None if figures.loop_lag_ns is None else figures.loop_lag_ns / _S,
            "open_spans": one.open_spans,
            "dropped_spans": one.dropped,
            "seconds_since_heartbeat": round(quiet_s, 1),
        },
    )


def _disk(disk: StoreDisk, thresholds: Thresholds) -> ResourceHealth:
    reasons, share = Reasons(), disk.free_bytes / disk.total_bytes if disk.total_bytes else 1.0
    if share < thresholds.health_disk_free_share:
        status = HealthStatus.UNHEALTHY if share < _SAFE else HealthStatus.DEGRADED
        reasons.add(status, f"{share:.1%} of the disk is free")
    return ResourceHealth(
        kind="disk",
        name="store",
        status=reasons.status,
        reasons=reasons.texts,
        figures={
            "store_bytes": disk.store_bytes,
            "cap_bytes": disk.cap_bytes,
            "free_bytes": disk.free_bytes,
            "total_bytes": disk.total_bytes,
        },
    )


__all__ = ["ResourceHealth", "resource_health"]
