"""Tables in words: rows beyond the first are counted, text gives way to a narrow terminal."""

from __future__ import annotations

from otel_mas.analyse.comparison import ComparedMeasure, Comparison, Verdict
from otel_mas.analyse.metrics import Observation
from otel_mas.analyse.metrics import metrics as metrics_of
from otel_mas.report.query_tables import comparison, executions, metrics, quantity
from otel_mas.report.tables import Head, Table
from otel_mas.report.terminal.table import grid, table
from tests.unit.analyse.test_executions import executions as found_in
from tests.unit.analyse.test_executions import team


def lines(found: Table, width: int = 60) -> list[str]:
    return [line.plain for line in table(found, width)]


def test_numbers_are_set_to_the_right_text_is_cut_and_empty_columns_are_left_out() -> None:
    found = Table(
        [Head("n", numeric=True), Head("what", text=True), Head("nothing")],
        [["1", "x" * 80, ""], ["20", "y", ""]],
        "row",
    )

    assert lines(found, 30) == [" n  what", " 1  " + "x" * 25 + "…", "20  y"]


def test_optional_columns_are_left_out_the_last_first_and_a_column_is_no_wider_than_its_head_says() -> None:
    heads = [Head("name", widest=6), *(Head(title, optional=True) for title in ("first", "second", "third"))]

    def shown(width: int) -> list[str]:
        return [line.plain for line in grid(heads, [["abcdefgh", "1", "", "3"]], width)]

    assert shown(80) == ["name    first  third", "abcde…  1      3"]
    assert shown(19) == ["name    first", "abcde…  1"]
    assert shown(5) == ["name", "abcde…"]


def test_empty_columns_stay_where_they_were_asked_for() -> None:
    assert [line.plain for line in grid([Head("a"), Head("b")], [["", ""]], 80, keep_empty=True)] == ["a  b", ""]


def test_rows_that_are_left_out_are_counted_and_notes_follow() -> None:
    found = Table([Head("a")], [["1"]], "execution", left_out=1_200, notes=["a note"])

    assert lines(found)[-2:] == ["and 1,200 more executions; --all lists them", "a note"]
    assert lines(Table([Head("a")], [], "execution")) == ["No execution matches."]


def test_executions_have_what_their_time_went_into() -> None:
    shown = executions(found_in(team()), most=2)

    assert (len(shown.rows), shown.left_out) == (2, 6)
    assert [head.title for head in shown.heads][6:9] == ["model", "tools", "overhead"]
    assert shown.rows[1][5:9] == ["researcher#1", "62%", "32%", "0 µs"]


def _measure(of: str, verdict: Verdict) -> ComparedMeasure:
    return ComparedMeasure(of, "", "duration", "s", 9, 8, 1.0, 1.3, 0.3, 0.5, 0.01, 0.04, verdict)


def test_a_comparison_shows_what_changed_and_the_run_and_counts_the_rest() -> None:
    verdicts = {"agent": Verdict.HIGHER, "run": Verdict.NO_DIFFERENCE, "edge": Verdict.CANNOT_TELL}
    found = Comparison(9, 8, tuple(_measure(of, verdict) for of, verdict in verdicts.items()))

    shown = comparison(found)

    assert [(row[0], row[-1]) for row in shown.rows] == [("agent", "higher"), ("run", "no difference found")]
    assert shown.rows[0][3:9] == ["1.00 s", "1.30 s", "+30%", "+0.50", "0.040", "9/8"]
    assert shown.left_out == 1
    assert shown.notes == ["1 of 3 measures changed, over 9 runs before and 8 after; 1 have too few runs to tell"]
    assert len(comparison(found, every=True).rows) == 3


def test_values_have_their_units() -> None:
    assert [quantity(1.5, unit) for unit in ("s", "USD", "share", "tokens")] == ["1.50 s", "$1.50", "150%", "1.5"]


def test_metrics_say_which_measure_they_are_of() -> None:
    of_agents = metrics_of([Observation("writer", 0, 1.5)], "model_time", "agent", trends=False)
    of_runs = metrics_of([Observation("", 0, 0.2)], "cost", "run", trends=False)

    assert lines(metrics(of_agents), 90)[0].split("  ")[0] == "model_time by agent"
    assert lines(metrics(of_runs), 90)[0].split("  ")[0] == "cost of runs"
