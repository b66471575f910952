"""Measurements that breach each built-in rule, and the same as series for promtool."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from otel_mas.alert.promql import annotation, label
from otel_mas.alert.rules import BY_NAME, Measure, Rule
from otel_mas.semconv.metrics import Metric

S = 10**9
STEP_S = 15
TARGET = {"job": "app", "instance": "app:1"}


@dataclass(frozen=True)
class Measured:
    """One measurement."""

    name: str
    value: float
    time_ns: int
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def metric(self) -> Metric:
        return BY_NAME[self.name]


def breaching(rule: Rule, now_ns: int) -> list[Measured]:
    """Measurements for which a rule holds at this time, and held for as long as it has to."""
    since_ns = now_ns - int(rule.hold * S)
    named = dict.fromkeys(rule.by, "one")
    among = {name: values[0] for name, values in rule.where.items()}
    part = {name: "it" if values == ("*",) else values[0] for name, values in rule.part.items()}
    metric, bucket_values = rule.metric[0], BY_NAME[rule.metric[0]].buckets
    late = [since_ns - 30 * S - 20 * S * n for n in range(max(rule.at_least, 1))]
    match rule.measure:
        case Measure.LAST:
            value = (rule.above or 0.0) + 1 if rule.below is None else rule.below - 1
            return [Measured(metric, value, since_ns - 60 * S, named)]
        case Measure.SILENT:
            window_ns = int(rule.window * S)
            busy = [Measured(metric, 1.0, time - window_ns - 60 * S, {**named, **among}) for time in late]
            other = [Measured(metric, 1.0, now_ns - n * 20 * S, dict.fromkeys(rule.by, "other")) for n in range(60)]
            return busy + other
        case Measure.RATIO if rule.of is not None:
            return [Measured(name, 1.0, time, {**named, **among}) for name in (metric, rule.of) for time in late]
        case Measure.RATIO:
            return [Measured(metric, 1.0, time, {**named, **among, **part}) for time in late]
        case Measure.QUANTILE | Measure.OVER:
            return [Measured(metric, float(bucket_values[-1]), time, {**named, **among}) for time in late]
        case _:
            value = (rule.above or 0.0) + 1
            return [Measured(name, value, late[0], {**named, **among}) for name in rule.metric]


def promtool_test(
    rules: Sequence[tuple[Rule, Iterable[Mapping[str, str]]]],
    measured: Iterable[Measured],
    *,
    start_ns: int,
    now_ns: int,
    rule_file: str,
) -> dict[str, Any]:
    """A test of promtool.

    Args:
        rules: with the labels of the alerts that each has to fire at `now_ns`.
        measured: what series are made of; time 0 of promtool is `start_ns`, from which on the target is up.
        rule_file: the file of the rules.
    """
    steps = (now_ns - start_ns) // (STEP_S * S) + 1
    series: dict[str, list[float]] = defaultdict(lambda: [0.0] * steps)
    starts: dict[str, int] = {}
    gauges: set[str] = set()
    for one in sorted(measured, key=lambda one: one.time_ns):
        metric = one.metric
        first = -(-(one.time_ns - start_ns) // (STEP_S * S))  # the next scrape
        for name, more, value in _samples(metric.prometheus, metric.instrument, metric.buckets, one.value):
            key = _series(name, {**TARGET, **{label(k): v for k, v in one.labels.items() if v}, **more})
            starts.setdefault(key, first)
            if metric.instrument == "gauge":
                gauges.add(key)
            for step in range(max(first, 0), steps):
                series[key][step] = value if key in gauges else series[key][step] + value
    lines = [{"series": _series("up", TARGET), "values": f"1x{steps - 1}"}]
    for key, values in series.items():
        first = max(starts[key], 0)
        lines.append({"series": key, "values": " ".join(["_"] * first + [f"{one:.17g}" for one in values[first:]])})
    now = f"{(steps - 1) * STEP_S}s"
    return {
        "rule_files": [rule_file],
        "evaluation_interval": f"{STEP_S}s",
        "tests": [
            {
                "interval": f"{STEP_S}s",
                "input_series": lines,
                "alert_rule_test": [
                    {"eval_time": now, "alertname": rule.name, "exp_alerts": [_expected(rule, one) for one in firing]}
                    for rule, firing in rules
                ],
            }
        ],
    }


def _samples(
    name: str, instrument: str, buckets: Sequence[float], value: float
) -> list[tuple[str, dict[str, str], float]]:
    if instrument != "histogram":
        return [(name, {}, value)]
    bounds = [({"le": repr(float(bound))}, float(value <= bound)) for bound in buckets]
    return [
        *((f"{name}_bucket", le, inside) for le, inside in [*bounds, ({"le": "+Inf"}, 1.0)]),
        (f"{name}_count", {}, 1.0),
        (f"{name}_sum", {}, value),
    ]


def _series(name: str, labels: Mapping[str, str]) -> str:
    matchers = [f'{key}="{value}"' for key, value in sorted(labels.items())]
    return f"{name}{{{', '.join(matchers)}}}"


def _expected(rule: Rule, labels: Mapping[str, str]) -> dict[str, Any]:
    summary = annotation(rule)
    for name, value in labels.items():
        summary = summary.replace(f"{{{{ $labels.{label(name)} }}}}", value)
    annotations = {"summary": summary, **({"runbook_url": rule.runbook} if rule.runbook else {})}
    shown = {label(name): value for name, value in labels.items() if value}
    return {"exp_labels": {"severity": rule.severity.value, **shown}, "exp_annotations": annotations}
