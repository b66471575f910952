"""State of alerts, durable in a file beside the store: a restart neither forgets nor tells twice."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Self

from otel_mas.alert.alerts import Alert, AlertState, Silence, fingerprint
from otel_mas.alert.evaluation import Breach
from otel_mas.errors import StoreError

_COLUMNS = "rule, labels, severity, summary, runbook, state, value, since_ns, fired_ns, resolved_ns"
_WAIT_S = 10.0
_KEPT_NS = 24 * 3600 * 10**9
_S = 10**9


def path_of(store: str | Path) -> Path:
    """The file of the alerts of a store."""
    path = Path(store).expanduser()
    return path.with_name(f"{path.name}.alerts")


class StateFile:
    """The file; several processes may use it at once. Close it after use.

    Args:
        path: made where there is none; None keeps the state in memory, for one look.

    Raises:
        StoreError: It cannot be opened.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = path
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
            for statement in (files("otel_mas.alert") / "state.sql").read_text(encoding="utf-8").split(";\n"):
                self._connection.execute(statement)
        except sqlite3.Error as error:
            raise StoreError(f"the state of alerts in {path} cannot be used: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes; no other process does meanwhile. Raises `StoreError`."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"the state of alerts in {self.path} cannot be written: {error}") from None

    def update(self, breaches: Iterable[Breach], now_ns: int) -> Sequence[Alert]:
        """Take over what holds now; returns all alerts, those that were resolved in the last day among them."""
        with self.transaction() as connection:
            known = {one.fingerprint: one for one in _read(connection)}
            found = {}
            for breach in breaches:
                alert = _next(breach, known.get(fingerprint(breach.rule.name, dict(breach.labels))), now_ns)
                found[alert.fingerprint] = alert
            for key, alert in known.items():
                if key not in found and alert.state is not AlertState.PENDING:
                    found[key] = alert if alert.state is AlertState.RESOLVED else _resolved(alert, now_ns)
            kept = [one for one in found.values() if (one.resolved_ns or now_ns) > now_ns - _KEPT_NS]
            connection.execute("DELETE FROM alerts")
            connection.executemany(
                f"INSERT INTO alerts (fingerprint, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(one.fingerprint, *_row(one)) for one in kept],
            )
            return self._silenced(connection, kept, now_ns)

    def alerts(self, now_ns: int | None = None) -> Sequence[Alert]:
        """The alerts as they were when rules were evaluated last."""
        with self.transaction() as connection:
            return self._silenced(connection, _read(connection), time.time_ns() if now_ns is None else now_ns)

    def _silenced(self, connection: sqlite3.Connection, alerts: Sequence[Alert], now_ns: int) -> Sequence[Alert]:
        silences = _silences(connection, now_ns)
        marked = [replace(one, silenced=any(silence.covers(one) for silence in silences)) for one in alerts]
        return sorted(marked, key=lambda one: (_ORDER[one.state], one.rule, sorted(one.labels.items())))

    def silence(self, matchers: Mapping[str, str], until_ns: int, comment: str) -> Silence:
        """Tell nobody of the alerts with these labels until then."""
        with self.transaction() as connection:
            added = connection.execute(
                "INSERT INTO silences (matchers, until_ns, comment) VALUES (?, ?, ?) RETURNING id",
                (json.dumps(dict(matchers)), until_ns, comment),
            ).fetchone()
        return Silence(added[0], matchers, until_ns, comment)

    def unsilence(self, number: int) -> bool:
        """End a silence; False where there is none of this number."""
        with self.transaction() as connection:
            return connection.execute("DELETE FROM silences WHERE id = ?", (number,)).rowcount > 0

    def silences(self, now_ns: int) -> Sequence[Silence]:
        """The silences that hold now."""
        with self.transaction() as connection:
            return _silences(connection, now_ns)


_ORDER = {AlertState.FIRING: 0, AlertState.PENDING: 1, AlertState.RESOLVED: 2}


def _next(breach: Breach, before: Alert | None, now_ns: int) -> Alert:
    """The alert of a rule that holds now."""
    rule = breach.rule
    goes_on = before is not None and before.state is not AlertState.RESOLVED
    since_ns = before.since_ns if before is not None and goes_on else now_ns
    fires = (before is not None and before.state is AlertState.FIRING) or now_ns - since_ns >= rule.hold * _S
    fired_ns = before.fired_ns if before is not None and goes_on else None
    return Alert(
        rule=rule.name,
        labels=dict(breach.labels),
        severity=rule.severity.value,
        summary=breach.summary,
        runbook=rule.runbook,
        state=AlertState.FIRING if fires else AlertState.PENDING,
        value=breach.value,
        since_ns=since_ns,
        fired_ns=(fired_ns or now_ns) if fires else None,
    )


def _resolved(alert: Alert, now_ns: int) -> Alert:
    return replace(alert, state=AlertState.RESOLVED, resolved_ns=now_ns)


def _row(one: Alert) -> tuple[object, ...]:
    return (
        *(one.rule, json.dumps(dict(one.labels)), one.severity, one.summary, one.runbook, one.state.value, one.value),
        *(one.since_ns, one.fired_ns, one.resolved_ns),
    )


def _read(connection: sqlite3.Connection) -> Sequence[Alert]:
    names = [name.strip() for name in _COLUMNS.split(",")]
    rows = (dict(zip(names, row, strict=True)) for row in connection.execute(f"SELECT {_COLUMNS} FROM alerts"))
    return [Alert(**{**row, "labels": json.loads(row["labels"]), "state": AlertState(row["state"])}) for row in rows]


def _silences(connection: sqlite3.Connection, now_ns: int) -> Sequence[Silence]:
    rows = connection.execute("SELECT id, matchers, until_ns, comment FROM silences WHERE until_ns > ?", (now_ns,))
    return [Silence(number, json.loads(matchers), until_ns, comment) for number, matchers, until_ns, comment in rows]


__all__ = ["StateFile", "path_of"]
