"""A recorded run, in which everything is measured: the same alerts from the store and from Prometheus."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.alert.evaluation import evaluate
from otel_mas.alert.prometheus_rules import render
from otel_mas.alert.promql import expression
from otel_mas.alert.rules_file import Rules
from otel_mas.alert.state import StateFile
from otel_mas.api.alert_measurements import AlertMeasurements
from otel_mas.api.alerts import AlertCheck
from otel_mas.cli import cli
from otel_mas.config import Settings
from otel_mas.server.alert_loop import AlertLoop
from tests.debian_programs import debian_program
from tests.metered.conftest import Metered
from tests.unit.alert.measured import Measured, S, promtool_test

SENSITIVE = """
defaults: false
rules:
- {name: Failures, measure: ratio, metric: mas.tool.calls, part: {mas.status: error}, by: [gen_ai.tool.name],
   window: 1h, above: 0.01, summary: "{gen_ai.tool.name} fails."}
- {name: Agents, measure: count, metric: mas.task.duration, by: [mas.task.name], window: 1h, above: 1, summary: Ran.}
- {name: Slow, measure: quantile, metric: mas.run.duration, q: 0.5, window: 1h, above: 0.05, summary: Slow.}
- {name: Tokens, measure: sum, metric: [gen_ai.client.inference.usage.input_tokens,
   gen_ai.client.inference.usage.output_tokens], by: [gen_ai.agent.name], window: 1h, above: 1, summary: Many.}
- {name: Verdicts, measure: ratio, metric: mas.guardrail.verdicts, part: {mas.guardrail.verdict: block},
   by: [mas.guardrail.name], window: 1h, above: 0.4, summary: Blocks.}
- {name: Large, measure: over, metric: mas.run.tokens, bound: 16, window: 1h, above: 0, summary: Large.}
- {name: Found, measure: count, metric: mas.findings, by: [mas.finding.code], window: 1h, above: 0, summary: Found.}
- {name: Overdue, measure: last, metric: mas.interrupt.overdue, above: 0, summary: Waits.}
- {name: Never, measure: count, metric: mas.handoffs, window: 1h, above: 100000, summary: Never.}
"""


def test_prometheus_fires_the_same_on_a_recorded_run(
    metered: Metered, surroundings: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "sensitive.yaml").write_text(SENSITIVE)
    rules = [*Rules.read(tmp_path / "sensitive.yaml").rules]
    rules += [rule.model_copy(update={"hold": 0.0}) for rule in Rules.built_in().rules if expression(rule)]
    rules = [rule for rule in rules if rule.window <= 3600]
    now_ns = time.time_ns()
    with otel_mas.open(metered.store) as source:
        found = AlertMeasurements(source).since(now_ns - 2 * 3600 * S, now_ns)
    measured = [Measured(one.metric.name, one.value, one.time_ns, one.labels) for one in found]
    last_ns = max(one.time_ns for one in measured if one.metric.instrument != "gauge") + 60 * S
    measured = [
        Measured(one.name, one.value, min(one.time_ns, last_ns), one.labels) for one in measured
    ]  # gauges are as they are now
    breaches = evaluate(rules, measured, last_ns)
    fired = {one.rule.name for one in breaches}
    assert fired >= {"Failures", "Agents", "Slow", "Tokens", "Verdicts", "Large", "Found", "Overdue"}
    assert "Never" not in fired

    (tmp_path / "rules.yaml").write_text(render(rules, "prometheus").text)
    expected = [(rule, [dict(one.labels) for one in breaches if one.rule is rule]) for rule in rules]
    test = promtool_test(expected, measured, start_ns=last_ns - 3 * 3600 * S, now_ns=last_ns, rule_file="rules.yaml")
    (tmp_path / "test.yaml").write_text(json.dumps(test))
    promtool = debian_program("prometheus", "promtool", surroundings)
    done = subprocess.run([promtool, "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_second_check_reads_only_traces_that_wait(
    metered: Metered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sensitive.yaml").write_text(SENSITIVE)
    with otel_mas.open(metered.store) as source, StateFile(tmp_path / "state") as state:
        paused = {one.trace_id for one in source.traces(status="interrupted")}
        read, trace = [], source.trace
        monkeypatch.setattr(source, "trace", lambda trace_id: [read.append(trace_id), trace(trace_id)][1])
        checking = AlertCheck(source, Rules.read(tmp_path / "sensitive.yaml"), state)
        first, number = checking.check(), len(read)
        read.clear()
        second = checking.check()

    assert number > len(paused)
    assert set(read) == paused
    assert [one.fingerprint for one in second.firing] == [one.fingerprint for one in first.firing]
    assert {one.rule for one in first.firing} >= {"Failures", "Found", "Overdue"}


@pytest.mark.parametrize(("rules", "code"), [(SENSITIVE, 5), ("defaults: false", 0), ("rules: 3", 2)])
def test_the_exit_code_of_a_check_is_for_cron_and_ci(rules: str, code: int, metered: Metered, tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(rules)
    words = ["alerts", "check", "--once", "--rules", str(tmp_path / "alerts.yaml"), "--store", str(metered.store)]
    done = CliRunner().invoke(cli, [*words, "--json"])

    assert done.exit_code == code, done.output
    assert code == 2 or {one["state"] for one in json.loads(done.stdout)["alerts"]} == ({"firing"} if code else set())
    assert not metered.store.with_name("runs.db.alerts").exists()


def test_the_server_says_once_whom_it_cannot_tell(
    metered: Metered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store, rules = tmp_path / "runs.db", tmp_path / "alerts.yaml"
    shutil.copy(metered.store, store)
    rules.write_text(f"{SENSITIVE}receivers:\n- {{name: am, type: alertmanager, url: 'http://127.0.0.1:9'}}\n")
    checks, check = [], AlertCheck.check
    monkeypatch.setattr(AlertCheck, "check", lambda self: [checks.append(1), check(self)][1])
    settings = dataclasses.replace(Settings(), store=str(store), alerts=str(rules), alerts_interval_s=0.05)
    loop = AlertLoop(settings)
    loop.start()
    until = time.monotonic() + 60
    while len(checks) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    loop.stop()

    assert len(checks) >= 3
    (message,) = [one.getMessage() for one in caplog.records if "of alerts" in one.getMessage()]
    assert message.startswith("otel-mas: receiver am (http://127.0.0.1:9) of alerts is not notified: ")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["RunCost", "gen_ai.agent.name=shop"], 0, "silence 1 holds for 2h"),
        (["RunCots"], 0, "no rule known here is called RunCots: did you mean RunCost?"),
        (["gen_ai.tool.nam=search"], 2, "no alert has a label 'gen_ai.tool.nam': did you mean gen_ai.tool.name?"),
        (["gen_ai.tool.name="], 2, "gen_ai.tool.name needs a value, as in gen_ai.tool.name=search"),
        (["="], 2, "no alert has a label ''"),
    ],
)
def test_a_silence_that_would_silence_nothing_is_refused_or_says_so(
    words: list[str], code: int, message: str, tmp_path: Path
) -> None:
    store = tmp_path / "runs.db"
    store.touch()
    done = CliRunner().invoke(cli, ["alerts", "silence", *words, "--store", str(store)])

    assert (done.exit_code, message in done.output) == (code, True), done.output
    assert ("silence 1 holds" in done.output) is (code == 0)
