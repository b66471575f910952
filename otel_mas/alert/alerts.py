"""Alerts and silences as they are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

ALERTNAME = "alertname"
"""The label that has the rule's name, as Prometheus has it."""


class AlertState(StrEnum):
    """State of an alert."""

    PENDING = "pending"
    """Its rule holds, and not yet for long enough."""
    FIRING = "firing"
    RESOLVED = "resolved"
    """It fired, and its rule holds no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert: a rule with values of its labels. Times are nanoseconds since the epoch."""

    rule: str
    labels: Mapping[str, str]
    severity: str
    summary: str
    runbook: str | None
    state: AlertState
    value: float
    since_ns: int
    """From when on the rule holds, or held."""
    fired_ns: int | None = None
    resolved_ns: int | None = None
    silenced: bool = False

    @property
    def fingerprint(self) -> str:
        """The same for the same rule and labels."""
        return fingerprint(self.rule, self.labels)


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that nobody is told of until a time."""

    id: int
    matchers: Mapping[str, str]
    """Values by label; `alertname` is one."""
    until_ns: int
    comment: str

    def covers(self, alert: Alert) -> bool:
        """Whether the alert has all of these labels."""
        labels = {**alert.labels, ALERTNAME: alert.rule}
        return all(labels.get(name) == value for name, value in self.matchers.items())


def fingerprint(rule: str, labels: Mapping[str, str]) -> str:
    """16 hex digits that stand for a rule and labels."""
    text = json.dumps([rule, sorted(labels.items())])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


__all__ = ["ALERTNAME", "Alert", "AlertState", "Silence", "fingerprint"]
