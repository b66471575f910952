"""Values that are others where they arrive: in results of called tasks, and in calls that a task's own code makes."""

from __future__ import annotations

from otel_mas.analyse.root_cause import Complaint
from tests.unit.analyse.root_cause.test_root_cause import Run


def test_a_task_that_returns_another_value_under_a_known_name_comes_first() -> None:
    run = Run().computes("counter", {"trams": 4100}).computes("adder", {"trams": 5219, "buses": 7})

    found = run.says("writer", "There are 5219 trams.").causes(Complaint())[0]

    assert (found.agent, found.reasons[0]) == ("adder", "wrote trams 5219 instead of 4100")


def test_a_task_that_was_given_another_value_comes_first() -> None:
    run = Run().computes("counter", {"trams": 4100}).computes("adder", {"sum": 1}, {"0": {"trams": 5219}})

    found = run.says("writer", "There are some trams.").causes(Complaint())[0]

    assert (found.agent, found.reasons[0]) == ("adder", "read trams 5219 instead of 4100")


def test_tasks_of_one_name_have_values_of_their_own() -> None:
    run = Run().computes("counter", {"trams": 4100}).computes("counter", {"trams": 5219})

    assert not _reasons(run.says("writer", "There are 9319 trams."), "instead of")


def test_a_value_that_follows_from_others_is_no_other_value() -> None:
    run = Run().computes("counter", {"trams": 4100, "buses": 19}).computes("adder", {"trams": 4119})

    assert not _reasons(run.says("writer", "There are 4119 of them."), "instead of")


def test_a_call_of_a_task_of_its_own_code_with_each_number_twice_comes_first() -> None:
    run = (
        Run()
        .says("planner", "We count 41, 52 and 63 trams.")
        .passes_on("adder", "sum", {"of": [41, 41, 52, 52, 63, 63]})
    )

    found = run.says("writer", "There are 312 trams.").causes(Complaint())[0]

    assert (found.agent, found.reasons[0]) == ("adder", "called a tool with each number of a list more than once")


def test_a_list_in_which_one_number_comes_twice_is_none() -> None:
    run = Run().says("planner", "We count 41, 52 and 63 trams.").passes_on("adder", "sum", {"of": [41, 41, 52, 63]})

    assert not _reasons(run.says("writer", "There are 197 trams."), "more than once")


def test_a_list_in_which_each_number_comes_twice_as_the_run_was_given_it_is_none() -> None:
    numbers = [41, 41, 52, 52]
    reasons = {
        given: _reasons(Run(task=given).passes_on("adder", "sum", {"of": numbers}).says("writer", "186."), "more than")
        for given in ("Add 41, 52.", "Add 41 and 52.\nThen 41 and 52.")
    }

    assert [len(found) for found in reasons.values()] == [1, 0]


def test_a_task_that_was_called_with_nothing_comes_before_who_read_nothing_of_it() -> None:
    run = Run().computes("counter", {"trams": 4100}).computes("adder", {"sum": None}, {"0": None, "1": {"buses": 7}})
    run = run.reads("writer", "- Trams: unknown", "It is not known.")

    found = run.causes(Complaint())[0]

    assert found.agent == "adder"
    assert {"was called with nothing for argument 1", "wrote no sum"} <= set(found.reasons)


def test_a_date_is_one_value() -> None:
    """2022 is 2032 less 10, which no year is."""
    run = Run().says("planner", "Day: 2032-10-01.").reads("writer", "- Day: 2022-10-01", "It opens.")

    assert _reasons(run, "day 2022-10-01 instead of 2032-10-01")


def _reasons(run: Run, words: str) -> list[str]:
    return [reason for cause in run.causes(Complaint()) for reason in cause.reasons if words in reason]
