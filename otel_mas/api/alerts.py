"""Alert rules held against a source: what fires, kept beside the store, and told to receivers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from otel_mas.alert.alerts import Alert, AlertState
from otel_mas.alert.evaluation import evaluate
from otel_mas.alert.notify.delivery import Problem, deliver, tell_alertmanager
from otel_mas.alert.notify.due import enqueue_due
from otel_mas.alert.receivers import ReceiverType
from otel_mas.alert.rules_file import Rules
from otel_mas.alert.state import StateFile
from otel_mas.api.alert_measurements import AlertMeasurements
from otel_mas.semconv import metrics

if TYPE_CHECKING:
    from otel_mas.api.source import Source

_S = 10**9
_FINDINGS = (metrics.MAS_FINDINGS.name, metrics.MAS_RUN_GAVE_UP.name)


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of one check."""

    alerts: Sequence[Alert]
    """Firing ones first, then pending ones and those that were resolved in the last day."""
    problems: Sequence[Problem]
    """Receivers that could not be told."""
    incomplete: str | None
    """The parts that were not read, in words."""

    @property
    def firing(self) -> Sequence[Alert]:
        """Those that fire, and are not silenced."""
        return [one for one in self.alerts if one.state is AlertState.FIRING and not one.silenced]


class AlertCheck:
    """Holds rules against a source, again and again. Not for several threads at once.

    Args:
        rules: with their receivers.
        state: where alerts are kept.
        interval_s: until the next check, about; Alertmanager counts an alert as over after four of these.
        clock: now, in ns since the epoch.
    """

    def __init__(
        self,
        source: Source,
        rules: Rules,
        state: StateFile,
        *,
        interval_s: float = 300.0,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._rules = rules
        self._state = state
        self._interval_s = interval_s
        self._clock = clock
        asks_findings = any(name in _FINDINGS for rule in rules.rules for name in (*rule.metric, rule.of))
        self._measurements = AlertMeasurements(source, findings=asks_findings)
        self._lookback_ns = int(max((rule.lookback for rule in rules.rules), default=0.0) * _S)

    def check(self, *, notify: bool = True) -> Checked:
        """Evaluate the rules once, and tell receivers what is new.

        Raises:
            UnsupportedQuery, SourceError, StoreError: The source, or the state, cannot be read.
        """
        now_ns = self._clock()
        measurements = self._measurements.since(now_ns - self._lookback_ns, now_ns)
        alerts = self._state.update(evaluate(self._rules.rules, measurements, now_ns), now_ns)
        problems = self._notify(alerts, now_ns) if notify else ()
        return Checked(alerts, problems, self._measurements.incomplete)

    def _notify(self, alerts: Sequence[Alert], now_ns: int) -> Sequence[Problem]:
        enqueue_due(self._state, self._rules, alerts, now_ns)
        problems = [*deliver(self._state, self._rules.receivers, self._clock)]
        for receiver in self._rules.receivers:
            if receiver.type is ReceiverType.ALERTMANAGER:
                problem = tell_alertmanager(receiver, alerts, now_ns, 4 * self._interval_s)
                problems += [problem] if problem else []
        return problems


__all__ = ["AlertCheck", "Checked"]
