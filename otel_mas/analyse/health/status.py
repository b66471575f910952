"""The four states of health, and the reasons for one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class HealthStatus(StrEnum):
    """Health of an agent, a workflow or a resource, the worst first."""

    UNHEALTHY = "unhealthy"
    """It does not do its work."""
    DEGRADED = "degraded"
    """It does, but somebody should look."""
    UNKNOWN = "unknown"
    """There was nothing to tell it by."""
    HEALTHY = "healthy"


_WORST_FIRST = tuple(HealthStatus)


def worst(statuses: Iterable[HealthStatus]) -> HealthStatus:
    """The worst of these; unknown where there is none, or where none is known."""
    found = set(statuses)
    for status in (HealthStatus.UNHEALTHY, HealthStatus.DEGRADED, HealthStatus.HEALTHY):
        if status in found:
            return status
    return HealthStatus.UNKNOWN


class Reasons:
    """Collects reasons, each with the status that it gives."""

    def __init__(self) -> None:
        self._found: list[tuple[HealthStatus, str]] = []

    def add(self, status: HealthStatus, reason: str) -> None:
        self._found.append((status, reason))

    @property
    def status(self) -> HealthStatus:
        """The worst status of a reason; healthy without any."""
        return min((status for status, _ in self._found), key=_WORST_FIRST.index, default=HealthStatus.HEALTHY)

    @property
    def texts(self) -> tuple[str, ...]:
        """In words, the worst first."""
        return tuple(text for _, text in sorted(self._found, key=lambda one: _WORST_FIRST.index(one[0])))


def add_failures(reasons: Reasons, failed: int, tried: int, shares: tuple[float, float], noun: str) -> None:
    """Add a reason where too many failed.

    Args:
        shares: from where on it is degraded and unhealthy; of fewer than `FEW` it is degraded at most.
    """
    degraded, unhealthy = shares
    share = failed / tried if tried else 0.0
    if not failed or share < degraded:
        return
    status = HealthStatus.UNHEALTHY if share >= unhealthy and tried >= FEW else HealthStatus.DEGRADED
    reasons.add(status, f"{failed:,} of {tried:,} {noun} failed ({share:.0%})")


FEW = 3
"""Number of tasks or runs, below which failures do not make anything unhealthy."""

__all__ = ["FEW", "HealthStatus", "Reasons", "add_failures", "worst"]
