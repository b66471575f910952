"""Delivery: an outbox for webhooks, which must not be told twice; all alerts each time for Alertmanager."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otel_mas.alert.alerts import Alert, AlertState
from otel_mas.alert.notify.forms import alertmanager_alerts, slack_message
from otel_mas.alert.notify.http import Delivery, Outcome, post
from otel_mas.alert.receivers import Receiver, ReceiverType
from otel_mas.alert.state import StateFile
from otel_mas.errors import ConfigError
from otel_mas.shipping.backoff import Backoff

_S = 10**9
_GIVEN_UP_NS = 24 * 3600 * _S
_CLAIM_S = 60.0  # beyond the receiver's timeout: then the process that was sending has died
_FIRST_S, _LONGEST_S = 5.0, 600.0
_ALERTMANAGER_PATH = "/api/v2/alerts"
_RESOLVED_NS = 3600 * _S  # for how long Alertmanager is told that something is over


@dataclass(frozen=True, slots=True)
class Problem:
    """A receiver that could not be told, and why."""

    receiver: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    number: int
    key: str
    document: Mapping[str, Any]
    attempts: int
    was_claimed: bool


def deliver(
    state: StateFile, receivers: Sequence[Receiver], clock: Callable[[], int] = time.time_ns
) -> Sequence[Problem]:
    """Send what is due in the outbox; what fails waits for the next call, longer each time.

    A notification is claimed before it is sent, so that two processes never send the same one. If a process dies
    amid sending, or the answer is lost, a webhook gets it again with the same `Idempotency-Key`; Slack does not.
    """
    problems = []
    for receiver in receivers:
        while receiver.type is not ReceiverType.ALERTMANAGER:
            waiting = _claim(state, receiver, clock())
            if waiting is None:
                break
            if waiting.was_claimed and receiver.type is ReceiverType.SLACK:
                done = Delivery(Outcome.UNKNOWN, "the process that sent it ended meanwhile")
            else:
                done = _send(receiver, waiting)
            if problem := _settle(state, receiver, waiting, done, clock()):
                problems.append(problem)
    return problems


def tell_alertmanager(receiver: Receiver, alerts: Sequence[Alert], now_ns: int, valid_s: float) -> Problem | None:
    """Tell an Alertmanager of all that fires, and of what is over: it knows what it has had.

    Args:
        valid_s: for how long what fires is to count as firing where nothing more is heard.
    """
    shown = [
        one
        for one in alerts
        if one.severity in receiver.severities
        and not one.silenced
        and (
            one.state is AlertState.FIRING
            or (one.state is AlertState.RESOLVED and now_ns - (one.resolved_ns or 0) < _RESOLVED_NS)
        )
    ]
    if not shown:
        return None
    try:
        url = receiver.address().rstrip("/").removesuffix(_ALERTMANAGER_PATH) + _ALERTMANAGER_PATH
    except ConfigError as error:
        return Problem(receiver.shown, str(error))
    done = post(url, alertmanager_alerts(shown, now_ns + int(valid_s * _S)), receiver.timeout)
    return None if done.outcome is Outcome.DELIVERED else Problem(receiver.shown, done.reason)


def _claim(state: StateFile, receiver: Receiver, now_ns: int) -> _Waiting | None:
    """The next notification that is due, which no other process sends now."""
    until_ns = now_ns + int((receiver.timeout + _CLAIM_S) * _S)
    with state.transaction() as connection:
        connection.execute("DELETE FROM outbox WHERE decided_ns < ?", (now_ns - _GIVEN_UP_NS,))
        row = connection.execute(
            "SELECT id, key, document, attempts, claimed_ns FROM outbox "
            "WHERE receiver = ? AND next_ns <= ? AND claimed_ns <= ? ORDER BY id LIMIT 1",
            (receiver.name, now_ns, now_ns),
        ).fetchone()
        if row is None:
            return None
        number, key, document, attempts, claimed_ns = row
        connection.execute("UPDATE outbox SET claimed_ns = ? WHERE id = ?", (until_ns, number))
    return _Waiting(number, key, json.loads(document), attempts, claimed_ns > 0)


def _send(receiver: Receiver, waiting: _Waiting) -> Delivery:
    try:
        url = receiver.address()
    except ConfigError as error:
        return Delivery(Outcome.NOT_DELIVERED, str(error))
    if receiver.type is ReceiverType.SLACK:
        return post(url, slack_message(waiting.document), receiver.timeout)
    return post(url, waiting.document, receiver.timeout, {"Idempotency-Key": waiting.key})


def _settle(state: StateFile, receiver: Receiver, waiting: _Waiting, done: Delivery, now_ns: int) -> Problem | None:
    """Take a notification out of the outbox, or note when it is sent again."""
    again = done.outcome is Outcome.NOT_DELIVERED or (
        done.outcome is Outcome.UNKNOWN and receiver.type is ReceiverType.WEBHOOK
    )
    with state.transaction() as connection:
        if again:
            backoff = Backoff(_FIRST_S, _LONGEST_S)
            backoff.failures = waiting.attempts
            next_ns = now_ns + int(backoff.next(done.retry_after_s) * _S)
            connection.execute(
                "UPDATE outbox SET attempts = attempts + 1, next_ns = ?, claimed_ns = 0 WHERE id = ?",
                (next_ns, waiting.number),
            )
        else:
            connection.execute("DELETE FROM outbox WHERE id = ?", (waiting.number,))
    if done.outcome is Outcome.DELIVERED:
        return None
    rest = "it is sent again later" if again else "it is not sent again"
    return Problem(receiver.shown, f"{done.reason}; {rest}")


__all__ = ["Problem", "deliver", "tell_alertmanager"]
