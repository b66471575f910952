"""Forms of notifications: our own document, a message of Slack, alerts of Alertmanager; no content of runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from otel_mas.alert.alerts import ALERTNAME, Alert, AlertState
from otel_mas.alert.promql import label

VERSION = 1
_MOST_LINES = 20
_EMOJI = {"critical": ":rotating_light:", "warning": ":warning:", "info": ":information_source:"}


def document(key: str, group: Mapping[str, str], alerts: Sequence[Alert]) -> dict[str, Any]:
    """The document of the generic webhook: docs/alerts.md has its fields."""
    firing = any(one.state is AlertState.FIRING for one in alerts)
    return {
        "version": VERSION,
        "id": key,
        "status": "firing" if firing else "resolved",
        "group": dict(group),
        "alerts": [
            {
                "name": one.rule,
                "status": one.state.value,
                "severity": one.severity,
                "labels": dict(one.labels),
                "value": one.value,
                "summary": one.summary,
                "runbook": one.runbook,
                "since": timestamp(one.since_ns),
                "resolved": None if one.resolved_ns is None else timestamp(one.resolved_ns),
            }
            for one in alerts
        ],
    }


def slack_message(notification: Mapping[str, Any]) -> dict[str, Any]:
    """A document as a message of Slack."""
    alerts = notification["alerts"]
    lines = [_slack_line(one) for one in alerts[:_MOST_LINES]]
    if len(alerts) > _MOST_LINES:
        lines.append(f"and {len(alerts) - _MOST_LINES} more")
    return {"text": "\n".join(lines)}


def _slack_line(one: Mapping[str, Any]) -> str:
    over = one["status"] == AlertState.RESOLVED.value
    sign = ":white_check_mark:" if over else _EMOJI.get(one["severity"], "")
    name = f"{one['name']} resolved" if over else f"{one['name']} ({one['severity']})"
    runbook = f" · {_slack_text(one['runbook'])}" if one["runbook"] and not over else ""
    return f"{sign} *{_slack_text(name)}*: {_slack_text(one['summary'])}{runbook}"


def _slack_text(text: str) -> str:
    """Text that mentions nobody and links nothing: https://docs.slack.dev/messaging/formatting-message-text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def alertmanager_alerts(alerts: Sequence[Alert], valid_until_ns: int) -> list[dict[str, Any]]:
    """Alerts for the API v2 of Alertmanager.

    Args:
        valid_until_ns: until when those that fire are to count as firing where nothing more is heard of them.
    """
    found = []
    for one in alerts:
        annotations = {"summary": one.summary, **({"runbook_url": one.runbook} if one.runbook else {})}
        named = {label(name): value for name, value in one.labels.items() if value}
        found.append(
            {
                "labels": {ALERTNAME: one.rule, "severity": one.severity, **named},
                "annotations": annotations,
                "startsAt": timestamp(one.fired_ns or one.since_ns),
                "endsAt": timestamp(one.resolved_ns or valid_until_ns),
            }
        )
    return found


def idempotency_key(receiver: str, grouped: str, alerts: Sequence[Alert], now_ns: int) -> str:
    """A name of one notification, the same however often it is sent."""
    text = json.dumps([receiver, grouped, [one.fingerprint for one in alerts], now_ns])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def timestamp(ns: int) -> str:
    """RFC 3339, in UTC."""
    return datetime.fromtimestamp(ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


__all__ = ["alertmanager_alerts", "document", "idempotency_key", "slack_message", "timestamp"]
