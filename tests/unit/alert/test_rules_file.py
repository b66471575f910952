"""Rules files: what they say in place of the built-in rules, and what is wrong with them, by line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otel_mas.alert.rules import BY_NAME
from otel_mas.alert.rules_file import Rules
from otel_mas.errors import ConfigError


def read(folder: Path, text: str) -> Rules:
    file = folder / "alerts.yaml"
    file.write_text(text)
    return Rules.read(file)


def test_each_built_in_rule_has_a_severity_a_summary_a_runbook_and_metrics_of_the_table() -> None:
    for rule in Rules.built_in().rules:
        assert rule.summary
        assert rule.runbook == f"deploy/runbooks/{rule.name}.md"
        assert all(name in BY_NAME for name in rule.metric)


def test_a_file_changes_fields_of_built_in_rules_leaves_some_out_and_adds_its_own(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "disabled: [RunsGaveUp]\nrules:\n  - {name: RunCost, bound: 5}\n"
        "  - {name: Mine, measure: count, metric: mas.handoffs, window: 1h, above: 9, summary: Many.}\n",
    )
    names = [rule.name for rule in found.rules]
    changed = next(rule for rule in found.rules if rule.name == "RunCost")

    assert (changed.bound, changed.metric) == (5, ("mas.run.cost",))
    assert ("Mine" in names, "RunsGaveUp" in names, len(names)) == (True, False, len(Rules.built_in().rules))
    assert [rule.name for rule in read(tmp_path, "defaults: false\nrules: []\n").rules] == []


@pytest.mark.parametrize(
    ("changed", "summary"),
    [
        ("name: RunCost, bound: 5", "A run of shop cost more than 5 USD."),
        ("name: AgentCost, above: 0.5, window: 15m", "Agent shop cost more than 0.5 USD within 15m."),
        ("name: RunFailures, above: 0.025", "More than 2.5 % of the runs of shop failed."),
        ("name: SlowRuns, q: 0.9, above: 3600", "The P90 of the durations of runs of shop is above 3,600 s."),
        ("name: DiskNearlyFull, below: 5368709120", "Less than 5 GiB is free on the disk of the store."),
    ],
)
def test_the_summary_of_a_changed_rule_says_its_new_numbers(changed: str, summary: str, tmp_path: Path) -> None:
    rule = read(tmp_path, f"rules:\n  - {{{changed}}}\n").rules[0]
    assert rule.text({"gen_ai.agent.name": "shop"}) == summary


def test_no_summary_of_a_built_in_rule_has_a_number_that_a_file_may_change() -> None:
    assert not [rule.name for rule in Rules.built_in().rules if re.search(r"\d", re.sub(r"{[^}]*}", "", rule.summary))]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rules:\n  - {name: X, measure: count, metric: mas.handofs, window: 1h, above: 1, summary: s}\n",
         ":2: rules[0]: there is no metric mas.handofs: did you mean mas.handoffs?"),
        ("rules:\n  - {name: RunCost, bound: 7}\n", "bound is 7: mas.run.cost has the buckets 0.0001"),
        ("rules:\n  - {name: RunCost,\n     bond: 5}\n", ":3: rules[0].bond: there is no such field: did you mean bo"),
        ("rules:\n  - {name: SlowRuns, by: [tool], summary: s}\n", "mas.run.duration has no label tool"),
        ("rules:\n  - {name: SlowRuns, window: soon}\n", ":2: rules[0].window: seconds, like 90"),
        ("rules:\n  - {name: SlowRuns, summary: 'above {bound}'}\n", "summary has {bound}, which is no label"),
        ("rules:\n  - {name: SlowRuns, below: 3}\n", "give either `above` or `below`"),
        ("rules:\n  - {name: DiskNearlyFull, measure: count, window: 1h}\n", "mas.store.disk.free is a gauge"),
        ("disabled: [RunCosts]\n", "no built-in rule is called RunCosts: did you mean RunCost?"),
        ("receivers:\n  - {name: a, type: slack}\n", ":2: receivers[0]: give one of `url`, `url_env` and `url_file`"),
        ("receivers:\n  - {name: a, type: pager, url: x}\n", "'webhook', 'slack' or 'alertmanager'"),
        ("rules:\n  - {name: A B}\n", "write letters, digits and underscores"),
        ("- a\n", "has no alert rules: it must be a mapping"),
        ("", "is empty: it needs `rules` or `receivers`"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_the_line(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert problem in str(raised.value)


def test_an_address_is_read_when_it_is_used_and_is_in_no_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "url"
    found = read(
        tmp_path,
        "receivers:\n  - {name: a, type: slack, url: 'https://hooks.example/T0/SECRET'}\n"
        f"  - {{name: b, type: slack, url_file: {secret}}}\n  - {{name: c, type: slack, url_env: HOOK}}\n",
    ).receivers

    assert "SECRET" not in f"{found[0]!r} {found[0].shown}"
    assert found[0].shown == "a (https://hooks.example)"
    assert found[0].address() == "https://hooks.example/T0/SECRET"
    with pytest.raises(ConfigError, match="cannot be read"):
        found[1].address()
    with pytest.raises(ConfigError, match="HOOK is not set"):
        found[2].address()
    secret.write_text("https://hooks.example/1\n")
    monkeypatch.setenv("HOOK", "file:///etc/passwd")
    assert found[1].address() == "https://hooks.example/1"
    with pytest.raises(ConfigError, match="must begin with http") as raised:
        found[2].address()
    assert "passwd" not in str(raised.value)
