"""Prometheus fires for the same measurements as the evaluation from a store."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from otel_mas.alert.evaluation import evaluate
from otel_mas.alert.prometheus_rules import render
from otel_mas.alert.promql import expression
from otel_mas.alert.rules import Rule
from otel_mas.alert.rules_file import Rules
from tests.debian_programs import debian_program
from tests.unit.alert.measured import Measured, S, breaching, promtool_test

NOW_NS = 1_800_000_000 * S
IN_PROMETHEUS = [rule for rule in Rules.built_in().rules if expression(rule) is not None]


@pytest.fixture(scope="session")
def promtool(surroundings: dict[str, str]) -> Path:
    return debian_program("prometheus", "promtool", surroundings)


def _checked(promtool: Path, folder: Path, rules: Sequence[Rule], measured: Sequence[Measured], hours: float) -> None:
    """Run promtool on the rules; it is to fire what `evaluate` finds."""
    (folder / "rules.yaml").write_text(render(rules, "prometheus").text)
    found = evaluate(rules, measured, NOW_NS)
    expected = [(rule, [dict(one.labels) for one in found if one.rule is rule]) for rule in rules]
    start_ns = NOW_NS - int(hours * 3600) * S
    test = promtool_test(expected, measured, start_ns=start_ns, now_ns=NOW_NS, rule_file="rules.yaml")
    (folder / "test.yaml").write_text(json.dumps(test))  # which is YAML, and sooner written
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_rule_is_one_that_prometheus_takes(promtool: Path, tmp_path: Path) -> None:
    """Expressions, durations and templates are valid, with a namespace too."""
    for namespace in ("", "acme"):
        file = tmp_path / "rules.yaml"
        file.write_text(render(IN_PROMETHEUS, "prometheus", namespace).text)
        done = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{len(IN_PROMETHEUS)} rules found" in done.stdout


@pytest.mark.parametrize("rule", IN_PROMETHEUS, ids=lambda rule: rule.name)
def test_prometheus_fires_where_the_evaluation_does(rule: Rule, promtool: Path, tmp_path: Path) -> None:
    """What breaches a rule fires in both, and nothing else does."""
    measured = breaching(rule, NOW_NS)
    assert [one.rule.name for one in evaluate([rule], measured, NOW_NS)] == [rule.name]
    hours = (rule.lookback + rule.hold) / 3600 + 0.5
    _checked(promtool, tmp_path, [rule], measured, hours)


def test_prometheus_is_as_quiet_as_the_evaluation(promtool: Path, tmp_path: Path) -> None:
    """A failure among many calls, and one of a tool that is hardly called, fire in neither."""
    rules = [rule for rule in IN_PROMETHEUS if rule.window <= 3600]
    measured = [
        Measured("mas.tool.calls", 1.0, NOW_NS - n * 20 * S, {"gen_ai.tool.name": "often", "mas.status": status})
        for n in range(1, 40)
        for status in ["error" if n == 7 else "ok"]
    ]
    measured += [
        Measured("mas.tool.calls", 1.0, NOW_NS - 60 * S, {"gen_ai.tool.name": "seldom", "mas.status": "error"})
    ]
    assert not evaluate(rules, measured, NOW_NS)
    _checked(promtool, tmp_path, rules, measured, 3)


def test_history_of_a_store_does_not_fire_when_scraping_begins(promtool: Path, tmp_path: Path) -> None:
    """A series that is as old as its target is history, not an increase."""
    rule = next(rule for rule in IN_PROMETHEUS if rule.name == "SeriousFindings")
    labels = {"mas.finding.code": "deadlock", "mas.finding.severity": "error"}
    old = [Measured("mas.findings", 5.0, NOW_NS - 9_000 * S, labels)]
    assert not evaluate([rule], old, NOW_NS)
    _checked(promtool, tmp_path, [rule], old, 0.25)
