"""One row per span."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from otel_mas.causal import build
from otel_mas.evaluate.result_columns import RESULTS
from otel_mas.model import Span, StatusCode, Trace
from otel_mas.report import frame
from otel_mas.semconv import attributes as names

PAGE = Path(__file__).resolve().parents[4] / "docs" / "notebook.md"


def test_a_row_says_what_a_span_is_and_whom_it_works_for(team: ModuleType) -> None:
    table = frame.spans([build(team.research_traces())]).to_pandas().set_index("name")
    search = table.loc["execute_tool web_search"]
    assert search[["agent", "task", "label", "tool"]].tolist() == [
        "researcher",
        "tools",
        "researcher#1/tools#1",
        "web_search",
    ]
    assert search["start"].isoformat() == "2026-11-21T10:00:01.410000+00:00"
    assert search["duration_s"] == 0.98


def test_cost_by_agent_sums_to_the_table_of_costs(team: ModuleType) -> None:
    from otel_mas.analyse.cost import cost

    causal = build(team.research_traces())
    table = frame.spans([causal]).to_pandas()
    summed = table.groupby("agent", dropna=False).cost_usd.sum()
    rows = {row.name: row.usd for row in cost(causal.spans).by_agent}
    assert summed["researcher"] == pytest.approx(rows["researcher"])
    assert summed[summed.index.isna()].iloc[0] == pytest.approx(rows[None])


def test_rows_of_many_traces_follow_each_other_in_start_order(team: ModuleType) -> None:
    one, two = team.research_traces()
    table = frame.spans([build([two]), build([one])]).to_pandas()
    assert table.trace_id.unique().tolist() == [team.SECOND, team.FIRST]
    assert all(group.start.is_monotonic_increasing for _, group in table.groupby("trace_id"))


def test_every_attribute_is_a_column_on_request(team: ModuleType) -> None:
    causal = build(team.research_traces())
    table = frame.spans([causal], attributes=True).to_pandas()
    text = {f"attributes.{name}" for span in causal.spans for name in span.attributes}
    assert set(table.columns) == {column.name for column in frame.SPANS} | text
    assert table["attributes.gen_ai.usage.input_tokens"].sum() == table.input_tokens.sum()
    assert table["attributes.mas.routing.choice"].dropna().tolist() == [["researcher"]]


def test_odd_values_do_not_break_a_column() -> None:
    span = Span(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id="c" * 16,
        name="half \ud800 a pair",
        start_ns=5,
        end_ns=None,
        status=StatusCode.ERROR,
        columns={names.GEN_AI_USAGE_INPUT_TOKENS: "many", names.MAS_COST_USD: float("nan"), names.ERROR_TYPE: 7},
    )
    found = frame.spans([build([Trace("a" * 32, (span,))])], attributes=True)
    row = found.to_pandas().iloc[0]
    assert (row["name"], row["error"]) == ("half ? a pair", "7")
    assert row[["end", "duration_s", "input_tokens", "cost_usd"]].isna().all()
    assert found.to_arrow().num_rows == 1


def documented(title: str) -> list[tuple[str, str, str]]:
    section = PAGE.read_text().split(f"### {title}\n", 1)[1].split("\n###", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", section, re.MULTILINE)
    return [(name, kind, meaning) for name, kind, meaning in rows]


@pytest.mark.parametrize(
    ("title", "columns"),
    [
        ("Spans", frame.SPANS),
        ("Traces", frame.TRACES),
        ("Edges", frame.EDGES),
        ("Critical path", frame.STEPS),
        ("What-if", frame.RESCHEDULED),
        ("Cost", frame.COSTS),
        ("Profile", frame.PROFILE),
        ("Changes of the state", frame.CHANGES),
        ("Steps of two runs", frame.DIFFERENCES),
        ("Steps of two sets of runs", frame.SET_STEPS),
        ("Errors", frame.ERRORS),
        ("Hot spots", frame.HOT_SPOTS),
        ("Functions", frame.FUNCTIONS),
        ("Records", frame.RECORDS),
        ("Entries of the log", frame.ENTRIES),
        ("Results of evaluations", RESULTS),
    ],
)
def test_every_column_is_described_on_the_page_as_in_the_code(title: str, columns: tuple[frame.Column, ...]) -> None:
    assert documented(title) == [(column.name, column.type, column.meaning) for column in columns]
