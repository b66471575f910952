"""Rules as a rules file of Prometheus, or as a PrometheusRule of its operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from otel_mas.alert.promql import annotation, expression
from otel_mas.alert.rules import Rule, period
from otel_mas.errors import MissingExtra

Form = Literal["prometheus", "kubernetes"]
_GROUP = "otel-mas"
_WIDTH = 10_000  # no line of an expression is broken


@dataclass(frozen=True, slots=True)
class RenderedRules:
    """A document, and the names of the rules that it cannot have: Prometheus has no label for each user."""

    text: str
    left_out: Sequence[str]


def render(rules: Iterable[Rule], form: Form, namespace: str = "", name: str = _GROUP) -> RenderedRules:
    """Render rules as YAML.

    Args:
        form: "prometheus" for `rule_files`, "kubernetes" for a PrometheusRule.
        namespace: as OTEL_MAS_METRICS_NAMESPACE.
        name: of the PrometheusRule.
    """
    try:
        import yaml
    except ImportError:
        raise MissingExtra("rules are YAML, which needs PyYAML: pip install 'otel-mas[alerts]'") from None
    expressions = [(rule, expression(rule, namespace)) for rule in rules]
    groups = {"groups": [{"name": _GROUP, "rules": [_rule(rule, expr) for rule, expr in expressions if expr]}]}
    document: dict[str, Any] = groups
    if form == "kubernetes":
        document = {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "otel-mas"}},
            "spec": groups,
        }
    text = yaml.safe_dump(document, sort_keys=False, width=_WIDTH, allow_unicode=True)
    return RenderedRules(text, [rule.name for rule, expr in expressions if expr is None])


def _rule(rule: Rule, expr: str) -> dict[str, Any]:
    annotations = {"summary": annotation(rule)}
    if rule.runbook is not None:
        annotations["runbook_url"] = rule.runbook
    held = {"for": period(rule.hold)} if rule.hold else {}
    return {
        "alert": rule.name,
        "expr": expr,
        **held,
        "labels": {"severity": rule.severity.value},
        "annotations": annotations,
    }


__all__ = ["Form", "RenderedRules", "render"]
