"""Alerts over time: pending, firing, silenced, resolved; and who is told of them, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_mas.alert.alerts import Alert, AlertState
from otel_mas.alert.evaluation import Breach
from otel_mas.alert.notify.delivery import Problem, deliver
from otel_mas.alert.notify.due import enqueue_due
from otel_mas.alert.rules import Rule
from otel_mas.alert.rules_file import Rules
from otel_mas.alert.state import StateFile, path_of
from tests.unit.alert.receiving import Receiving, receiving

S = 10**9
MINUTE = 60 * S
NOW = 1_800_000_000 * S
FAILING = next(rule for rule in Rules.built_in().rules if rule.name == "ToolFailureRatio")  # for: 5m


def breach(tool: str = "search", rule: Rule = FAILING) -> Breach:
    return Breach(rule, (("gen_ai.tool.name", tool),), 0.5)


class Desk:
    """A state and one receiver; `look(minute, breaches)` is a check at that minute."""

    def __init__(self, path: Path, server: Receiving, kind: str, **more: Any) -> None:
        receiver = {"name": "desk", "type": kind, "url": server.url, **more}
        self.rules = Rules.model_validate({"receivers": [receiver]})
        self.path = path
        self.server = server
        self.now_ns = NOW

    def look(self, minute: float, *breaches: Breach) -> tuple[list[Alert], list[Problem]]:
        """Each look opens the state anew, as a process that was started again would."""
        self.now_ns = NOW + int(minute * MINUTE)
        with StateFile(self.path) as state:
            alerts = state.update(breaches, self.now_ns)
            enqueue_due(state, self.rules, alerts, self.now_ns)
            return list(alerts), list(deliver(state, self.rules.receivers, lambda: self.now_ns))

    def told(self) -> list[Any]:
        """The bodies that the receiver got since it was asked last."""
        found = [body for _, body in self.server.got]
        self.server.got.clear()
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with receiving() as server:
        yield Desk(tmp_path / "runs.db.alerts", server, "webhook")


def test_an_alert_waits_for_its_time_fires_once_and_is_over_once(desk: Desk) -> None:
    (pending,), _ = desk.look(0, breach())
    assert (pending.state, desk.told()) == (AlertState.PENDING, [])
    (firing,), _ = desk.look(5, breach())
    assert (firing.state, firing.since_ns, firing.fired_ns) == (AlertState.FIRING, NOW, NOW + 5 * MINUTE)
    (told,) = desk.told()
    assert (told["status"], told["group"]) == ("firing", {"alertname": "ToolFailureRatio"})
    assert told["alerts"][0]["summary"] == "More than 20 % of the calls of tool search failed."

    desk.look(6, breach())
    assert desk.told() == []
    (over,), _ = desk.look(7)
    assert (over.state, over.resolved_ns) == (AlertState.RESOLVED, NOW + 7 * MINUTE)
    assert [one["status"] for one in desk.told()] == ["resolved"]
    desk.look(8)
    assert desk.told() == []
    assert desk.look(8 + 25 * 60)[0] == []


def test_a_rule_that_holds_no_longer_before_its_time_never_fires(desk: Desk) -> None:
    desk.look(0, breach())
    assert desk.look(4)[0] == []
    (again,), _ = desk.look(5, breach())
    assert (again.state, desk.told()) == (AlertState.PENDING, [])


def test_alerts_of_a_group_are_one_notification_and_a_new_one_in_it_another(desk: Desk) -> None:
    desk.look(0, breach("a"), breach("b"))
    desk.look(5, breach("a"), breach("b"), breach("c"))
    (told,) = desk.told()
    assert [one["labels"]["gen_ai.tool.name"] for one in told["alerts"]] == ["a", "b"]
    desk.look(10, breach("a"), breach("b"), breach("c"))
    (told,) = desk.told()
    assert [one["labels"]["gen_ai.tool.name"] for one in told["alerts"]] == ["a", "b", "c"]


def test_what_still_fires_is_told_again_after_a_while(desk: Desk) -> None:
    for minute in (0, 5, 10, 5 + 4 * 60, 6 + 4 * 60):
        desk.look(minute, breach())
    assert [one["status"] for one in desk.told()] == ["firing", "firing"]


def test_a_silence_keeps_quiet_until_it_ends(desk: Desk) -> None:
    with StateFile(desk.path) as state:
        kept = state.silence(
            {"alertname": "ToolFailureRatio", "gen_ai.tool.name": "search"}, NOW + 20 * MINUTE, "known"
        )
        assert [one.comment for one in state.silences(NOW)] == ["known"]
    desk.look(0, breach(), breach("other"))
    alerts, _ = desk.look(5, breach(), breach("other"))
    assert {one.labels["gen_ai.tool.name"]: one.silenced for one in alerts} == {"search": True, "other": False}
    (told,) = desk.told()
    assert [one["labels"]["gen_ai.tool.name"] for one in told["alerts"]] == ["other"]

    desk.look(21, breach(), breach("other"))
    (told,) = desk.told()
    assert len(told["alerts"]) == 2
    with StateFile(desk.path) as state:
        assert state.unsilence(kept.id)
        assert not state.unsilence(kept.id)


def test_only_the_severities_of_a_receiver_reach_it(tmp_path: Path) -> None:
    with receiving() as server:
        desk = Desk(tmp_path / "a", server, "webhook", severities=["critical"])
        desk.look(0, breach())
        desk.look(5, breach())
        assert desk.told() == []


def test_a_webhook_that_is_down_is_told_later_with_the_same_key(tmp_path: Path) -> None:
    with receiving(503, "lost") as server:
        desk = Desk(tmp_path / "a", server, "webhook")
        desk.look(0, breach())
        _, (problem,) = desk.look(5, breach())
        assert "503" in problem.reason
        assert "SECRET" not in repr(problem)
        desk.look(5, breach())
        assert len(server.got) == 1, "it is asked again before its time"
        desk.look(20, breach())
        desk.look(40, breach())
        desk.look(60, breach())
        keys = {headers["Idempotency-Key"] for headers, _ in server.got}
        assert (len(server.got), len(keys)) == (3, 1)


def test_slack_is_not_told_twice_where_its_answer_is_lost(tmp_path: Path) -> None:
    with receiving(429, "lost") as server:
        desk = Desk(tmp_path / "a", server, "slack")
        for minute in (0, 5, 20, 40, 60):
            desk.look(minute, breach("<!channel> & co"))
        first, second = desk.told()
        assert first == second
        assert "tool &lt;!channel&gt; &amp; co failed" in first["text"]
        assert first["text"].startswith(":warning: *ToolFailureRatio (warning)*")


def test_a_process_that_dies_amid_sending_neither_loses_nor_doubles(tmp_path: Path) -> None:
    """Its claim runs out: a webhook gets it with its key, Slack may have had it and does not."""
    for kind, number in (("webhook", 1), ("slack", 0)):
        with receiving() as server:
            desk = Desk(tmp_path / kind, server, kind)
            with StateFile(desk.path) as state:
                alerts = state.update([breach()], NOW)
                alerts = state.update([breach()], NOW + 5 * MINUTE)
                assert enqueue_due(state, desk.rules, alerts, NOW + 5 * MINUTE) == 1
                with state.transaction() as connection:
                    connection.execute("UPDATE outbox SET claimed_ns = ?", (NOW + 6 * MINUTE,))
            desk.look(5.5, breach())
            assert server.got == []
            desk.look(7, breach())
            desk.look(8, breach())
            assert len(server.got) == number


@pytest.mark.parametrize("answer", [400, 302])
def test_a_refusal_is_not_asked_again_and_a_redirect_is_not_followed(answer: int, tmp_path: Path) -> None:
    with receiving(answer) as server:
        desk = Desk(tmp_path / "a", server, "webhook")
        desk.look(0, breach())
        _, (problem,) = desk.look(5, breach())
        assert "not sent again" in problem.reason
        desk.look(30, breach())
        assert len(server.got) == 1


def test_two_evaluators_of_one_store_tell_once(desk: Desk) -> None:
    desk.look(0, breach())
    with StateFile(desk.path) as one, StateFile(desk.path) as other:
        for state in (one, other):
            alerts = state.update([breach()], NOW + 5 * MINUTE)
            enqueue_due(state, desk.rules, alerts, NOW + 5 * MINUTE)
        for state in (one, other):
            deliver(state, desk.rules.receivers, lambda: NOW + 5 * MINUTE)
    assert len(desk.told()) == 1


def test_the_state_is_beside_the_store() -> None:
    assert path_of("/data/runs.db") == Path("/data/runs.db.alerts")
