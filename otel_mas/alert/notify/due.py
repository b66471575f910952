"""Which notifications are due: decided once, in the transaction that notes what a receiver is told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import groupby

from otel_mas.alert.alerts import ALERTNAME, Alert, AlertState
from otel_mas.alert.notify.forms import document, idempotency_key
from otel_mas.alert.receivers import Receiver, ReceiverType
from otel_mas.alert.rules_file import Rules
from otel_mas.alert.state import StateFile

_S = 10**9


def enqueue_due(state: StateFile, rules: Rules, alerts: Sequence[Alert], now_ns: int) -> int:
    """Put the notifications that are due into the outbox; returns how many.

    A group is told of where an alert in it is new or over, and again after `repeat_after` while some fire.
    """
    receivers = [one for one in rules.receivers if one.type is not ReceiverType.ALERTMANAGER]
    if not receivers:
        return 0
    with state.transaction() as connection:
        return sum(_of_receiver(connection, receiver, rules, alerts, now_ns) for receiver in receivers)


def _of_receiver(
    connection: sqlite3.Connection, receiver: Receiver, rules: Rules, alerts: Sequence[Alert], now_ns: int
) -> int:
    notified = {
        grouped: (frozenset(json.loads(firing)), notified_ns)
        for grouped, firing, notified_ns in connection.execute(
            "SELECT grouped, firing, notified_ns FROM notified WHERE receiver = ?", (receiver.name,)
        )
    }
    added = 0
    for grouped, members in _groups(receiver, rules, alerts):
        before, notified_ns = notified.get(grouped, (frozenset[str](), 0))
        firing = [one for one in members if one.state is AlertState.FIRING and not one.silenced]
        now = frozenset(one.fingerprint for one in firing)
        silenced = {one.fingerprint for one in members if one.state is AlertState.FIRING and one.silenced}
        over = [one for one in members if one.state is AlertState.RESOLVED and one.fingerprint in before - now]
        repeats = bool(firing) and now_ns - notified_ns >= rules.repeat_after * _S
        if not (now - before or repeats or (over and receiver.resolved)):
            if over:
                _note(connection, receiver, grouped, now | (before & silenced), notified_ns)
            continue
        shown = [*firing, *(over if receiver.resolved else [])]
        labels = json.loads(grouped)
        key = idempotency_key(receiver.name, grouped, shown, now_ns)
        connection.execute(
            "INSERT INTO outbox (receiver, key, document, decided_ns, next_ns) VALUES (?, ?, ?, ?, ?)",
            (receiver.name, key, json.dumps(document(key, labels, shown)), now_ns, now_ns),
        )
        _note(connection, receiver, grouped, now | (before & silenced), now_ns)
        added += 1
    return added


def _note(
    connection: sqlite3.Connection, receiver: Receiver, grouped: str, firing: frozenset[str], notified_ns: int
) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO notified (receiver, grouped, firing, notified_ns) VALUES (?, ?, ?, ?)",
        (receiver.name, grouped, json.dumps(sorted(firing)), notified_ns),
    )


def _groups(receiver: Receiver, rules: Rules, alerts: Sequence[Alert]) -> list[tuple[str, list[Alert]]]:
    """The alerts that a receiver is told of, by the labels that they are grouped by, as JSON."""

    def grouped(one: Alert) -> str:
        labels: Mapping[str, str] = {**one.labels, ALERTNAME: one.rule}
        return json.dumps({name: labels.get(name, "") for name in rules.group_by})

    wanted = [one for one in alerts if one.state is not AlertState.PENDING and one.severity in receiver.severities]
    return [(key, list(members)) for key, members in groupby(sorted(wanted, key=grouped), key=grouped)]


__all__ = ["enqueue_due"]
