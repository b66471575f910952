"""Questions over many runs, as people ask them in Python."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import otel_mas
from otel_mas.analyse import metrics, statistics
from otel_mas.api import Source
from otel_mas.errors import MissingExtra, UnsupportedQuery
from otel_mas.model import Query
from otel_mas.report.frame.query import COLUMNS
from tests.unit.api.test_source import Asked


@pytest.fixture
def opened(store: Path) -> Iterator[Source]:
    with otel_mas.open(store) as found:
        yield found


def test_executions_are_of_all_traces_newest_first(opened: Source, team: ModuleType) -> None:
    found = opened.executions()

    assert {one.trace_id for one in found} == {team.FIRST, team.SECOND}
    assert [one.start_ns for one in found] == sorted((one.start_ns for one in found), reverse=True)
    assert (found.limited, found.incomplete) == (False, None)


def test_filters_select_traces_and_then_executions(opened: Source) -> None:
    found = opened.executions(agent="researcher", kind="tool")

    assert sorted(one.name for one in found) == ["read_notes", "web_search"]
    assert [one.name for one in opened.executions(tool="web_search")] == ["web_search"]
    assert opened.executions(tool="web_search", agent="nobody") == []
    assert {one.status for one in opened.executions(status="interrupted")} == {"interrupted"}
    assert opened.executions(conversation="nothing") == []


def test_a_limit_is_of_traces_and_is_told(opened: Source, team: ModuleType) -> None:
    found = opened.executions(limit=1)

    assert {one.trace_id for one in found} == {team.SECOND}
    assert found.limited
    assert found.by().limited


def test_the_slowest_are_those_that_have_ended_the_longest_first(opened: Source) -> None:
    slow = opened.executions(kind="model").slowest(3)

    assert len(slow) == 3
    assert [one.duration_ns for one in slow] == sorted((one.duration_ns for one in slow), reverse=True)


def test_executions_tell_statistics_chains_and_stages(opened: Source) -> None:
    found = opened.executions()

    assert [one.name for one in found.by("agent")] == ["researcher"]
    assert "web_search" in [one.name for one in found.by("tool")]
    assert {call.caller for call in found.chains() if call.callee == "plan#1"} == {"researcher#1"}
    assert {stage.source for stage in found.stages()} == {"step"}


def test_a_trace_that_started_before_counts_for_what_began_in_the_window(opened: Source) -> None:
    first, *_ = sorted(opened.executions(), key=lambda one: one.start_ns)
    since = first.start_ns + 1

    found = opened.executions(since=_seconds_ago(since))

    assert 0 < len(found) < len(opened.executions())
    assert first.trace_id in {one.trace_id for one in found}


def _seconds_ago(time_ns: int) -> float:
    import time

    return (time.time_ns() - time_ns) / 1e9


def test_where_a_source_finds_traces_by_their_start_alone_that_is_said() -> None:
    port = Asked(filters=frozenset({"since_ns"}))

    found = Source(port).executions(since="1h")

    [query] = port.queries
    assert query.since_ns is not None
    assert found.incomplete == "asked:// finds traces by their start: those that had started before are left out"


def test_conditions_on_executions_alone_are_not_asked_of_the_source() -> None:
    port = Asked(filters=frozenset({"tool", "min_duration_ns"}))

    Source(port).executions(tool="x", status="handoff", min_duration="1s", max_duration="2s", limit=7)

    assert port.queries == [Query(tool="x", min_duration_ns=10**9, limit=7)]


def test_events_are_found_by_type(opened: Source) -> None:
    assert {one.type for one in opened.events(type="TOOL_CALL", agent="researcher")} == {"TOOL_CALL"}
    assert opened.events(type="ERROR") == []
    with pytest.raises(UnsupportedQuery, match="no event is of type 'X': ask for one of AGENT_TASK"):
        opened.events(type="X")
    with pytest.raises(UnsupportedQuery, match="events have no status"):
        opened.events(status="ok")


def test_metrics_of_runs_need_no_span_and_those_of_executions_are_by_name(opened: Source) -> None:
    [runs] = opened.metrics("input_tokens")
    [agent] = opened.metrics("duration", by="agent", window="1h")

    assert (runs.by, runs.whole.n, runs.unit) == ("run", 2, "tokens")
    assert (agent.name, agent.whole.n, len(agent.windows)) == ("researcher", 1, 1)
    assert {one.name for one in opened.metrics("cost", by="model")} >= {"gpt-4o-mini"} or opened.metrics(
        "cost", by="model"
    )


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"name": "speed"}, "there is no metric 'speed' by run: ask for one of duration"),
        ({"name": "overhead"}, "there is no metric 'overhead' by run"),
        ({"name": "cost", "by": "colour"}, "there are no metrics by 'colour': ask for run, service, agent"),
        ({"name": "duration", "window": "soon"}, "is not a duration"),
        ({"name": "duration", "window": 0}, "windows: ask for longer ones"),
        ({"name": "duration", "by": "agent", "status": "fine"}, "no execution has the status 'fine'"),
    ],
)
def test_a_metric_that_means_nothing_is_refused(opened: Source, asked: dict[str, Any], text: str) -> None:
    with pytest.raises(UnsupportedQuery, match=text):
        opened.metrics(**asked)


def test_metrics_without_scipy_have_no_trend_and_say_why(opened: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.stats", None)

    too_few = opened.metrics("duration")
    times = iter(range(10))
    monkeypatch.setattr(metrics, "trend", lambda _: statistics.trend([(time, 1.0) for time in times]))
    found = opened.metrics("duration")

    assert too_few.incomplete is None
    assert found[0].trend is None
    assert found.incomplete is not None
    assert "otel-mas[statistics]" in found.incomplete
    with pytest.raises(MissingExtra, match="statistics"):
        opened.compare(before={"status": "interrupted"}, after={"status": "ok"})


def test_two_sets_are_compared_and_must_not_be_empty_or_overlap(opened: Source) -> None:
    found = opened.compare(before={"status": "interrupted"}, after={"status": "ok"})

    assert (found.runs_before, found.runs_after) == (1, 1)
    assert {one.verdict for one in found.measures} == {"cannot tell"}
    with pytest.raises(UnsupportedQuery, match=r"has no run for .after., service\.version=2: "):
        opened.compare(before={"status": "ok"}, after={"attribute": {"service.version": "2"}})
    with pytest.raises(UnsupportedQuery, match="1 of the runs before"):
        opened.compare(before={"status": "ok"}, after={})


def test_what_means_nothing_is_refused(opened: Source) -> None:
    with pytest.raises(UnsupportedQuery, match="no execution is of kind 'chat'"):
        opened.executions(kind="chat")
    with pytest.raises(UnsupportedQuery, match="executions are not counted by 'colour'"):
        opened.executions().by("colour")


def test_a_run_tells_the_same_of_itself(opened: Source, team: ModuleType) -> None:
    trace = opened.trace(team.FIRST)

    assert trace.executions() == [one for one in opened.executions() if one.trace_id == team.FIRST]
    assert trace.executions(agent="researcher", kind="agent")[0].name == "researcher"
    assert trace.events(type="TOOL_CALL") == opened.events(type="TOOL_CALL")
    assert opened.conversation(team.THREAD).executions() == opened.executions()
    assert [one.name for one in trace.metrics("duration", by="tool")] == ["read_notes", "web_search"]
    with pytest.raises(UnsupportedQuery, match="metrics by run are of many runs: ask a source, or by agent"):
        trace.metrics("duration", by="run")


def test_answers_are_frames_and_show_themselves(opened: Source) -> None:
    found = opened.executions()
    answers = {
        "executions": found,
        "statistics": found.by(),
        "chains": found.chains(),
        "stages": found.stages(),
        "outcomes": opened.outcomes(),
        "events": opened.events(),
        "metrics": opened.metrics("duration", by="model", window="1d"),
        "comparison": opened.compare(before={"status": "interrupted"}, after={"status": "ok"}),
    }

    for name, answer in answers.items():
        frame = answer.to_pandas()
        assert list(frame.columns) == [column.name for column in COLUMNS[name]], name
        assert len(frame) == len(answer.to_arrow()) > 0, name
        assert "<table" in answer._repr_html_(), name
    assert str(answers["executions"].to_pandas()["start"].dtype) == "datetime64[ns, UTC]"
    assert "No event matches." in opened.events(agent="nobody")._repr_html_()
