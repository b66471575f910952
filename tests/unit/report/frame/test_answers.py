"""Lists, edges, paths and costs as tables."""

from __future__ import annotations

from types import ModuleType

from otel_mas.analyse.cost import cost
from otel_mas.causal import build
from otel_mas.model import SummaryBuilder
from otel_mas.report import frame


def test_traces_keep_their_order_and_numbers(team: ModuleType) -> None:
    summaries = [SummaryBuilder.of(trace).summary("3 spans were dropped") for trace in team.research_traces()]
    table = frame.traces(summaries).to_pandas()
    assert table.trace_id.tolist() == [team.FIRST, team.SECOND]
    assert table.status.tolist() == ["interrupted", "ok"]
    assert table.agents[0] == ["researcher"]
    assert table.duration_s.tolist() == [6.0, 1.5]
    assert table.incomplete[0] == "3 spans were dropped"


def test_edges_name_both_ends_and_the_time_between_them(team: ModuleType) -> None:
    table = frame.edges(build(team.research_traces())).to_pandas()
    row = table[(table.kind == "trigger") & (table.effect_label == "plan")].iloc[0]
    assert (row.cause_label, row.provenance, row.gap_s) == ("researcher", "recorded", 0.005)
    assert table[table.kind == "child"].gap_s.isna().all()


def test_a_cause_in_another_trace_has_an_id_and_no_name(team: ModuleType) -> None:
    table = frame.edges(build(team.research_traces()[1:])).to_pandas()
    row = table[table.effect_label == "approve"].query("kind == 'trigger'").iloc[0]
    assert row.cause == "4b00000000000016"
    assert row[["cause_label", "gap_s"]].isna().all()


def test_steps_sum_to_the_whole_and_say_why(team: ModuleType) -> None:
    causal = build(team.research_traces())
    table = frame.critical_path(causal, causal.critical_path()).to_pandas()
    assert round(table.duration_s.sum(), 6) == 66.5
    assert table[table.kind == "waiting for input"].duration_s.tolist() == [59.0]
    assert (table.start[1:].to_numpy() == table.end[:-1].to_numpy()).all()
    assert "collect waited for summarise#3 (last of 3 branches, 600 ms after summarise#1)" in table.why.tolist()


def test_each_grouping_of_costs_adds_up_to_the_total(team: ModuleType) -> None:
    found = cost(build(team.research_traces()).spans)
    table = frame.cost(found).to_pandas()
    assert table.groupby("by").calls.sum().tolist() == [found.total.calls] * 2
    assert table[table.name == "in-house-7b"].usd.isna().all()
