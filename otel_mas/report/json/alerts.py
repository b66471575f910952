"""`otel-mas alerts check --json`, and `/api/v1/alerts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from otel_mas.alert.alerts import Alert
from otel_mas.report.json.fields import TIME


class AlertForm(TypedDict):
    name: Annotated[str, "name of the rule"]
    state: Annotated[str, "firing, pending (not yet for long enough) or resolved (in the last day)"]
    severity: Annotated[str, "critical, warning or info"]
    labels: Annotated[dict[str, str], "values of the labels that the rule goes by"]
    value: Annotated[float, "of its measure, when it last held"]
    summary: Annotated[str, "what is wrong, in a sentence"]
    runbook: Annotated[str | None, "where it says what to do"]
    since_ns: Annotated[int, f"from when on it holds{TIME}"]
    fired_ns: Annotated[int | None, f"since when it fires{TIME}; null: it does not yet"]
    resolved_ns: Annotated[int | None, f"when it was over{TIME}; null: it is not"]
    silenced: Annotated[bool, "nobody is told of it"]


class AlertsDocument(TypedDict):
    alerts: Annotated[list[AlertForm], "firing ones first"]
    problems: Annotated[list[str], "receivers that could not be told, and why"]
    incomplete: Annotated[str | None, "what was not read, in words; null where nothing"]


def alerts(found: Sequence[Alert], problems: Sequence[str] = (), incomplete: str | None = None) -> AlertsDocument:
    """The document."""
    return {"alerts": [_alert(one) for one in found], "problems": list(problems), "incomplete": incomplete}


def _alert(one: Alert) -> AlertForm:
    return {
        "name": one.rule,
        "state": one.state.value,
        "severity": one.severity,
        "labels": dict(one.labels),
        "value": one.value,
        "summary": one.summary,
        "runbook": one.runbook,
        "since_ns": one.since_ns,
        "fired_ns": one.fired_ns,
        "resolved_ns": one.resolved_ns,
        "silenced": one.silenced,
    }


__all__ = ["AlertsDocument", "alerts"]
