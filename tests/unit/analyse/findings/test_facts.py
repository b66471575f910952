"""What findings say is saved is what the what-if says."""

from __future__ import annotations

from tests.unit.analyse.findings.run import facts, made


def test_calls_one_after_the_other_save_all_their_time_and_calls_side_by_side_only_what_was_waited_for() -> None:
    first, second = made.tool("search1", 10, 30, "writer1"), made.tool("search2", 31, 60, "writer1")
    assert facts(made.agent("writer1", 0, 100), first, second).saves_ns_without([first, second]) == 49

    beside = made.tool("search2", 10, 60, "writer1")
    run = facts(made.agent("writer1", 0, 100), first, beside)
    assert (run.saves_ns_without([first]), run.saves_ns_without([beside])) == (0, 30)


def test_of_many_spans_the_times_are_added_up() -> None:
    calls = [made.tool(f"search{i}", 10, 20, "writer1") for i in range(30)]

    assert facts(made.agent("writer1", 0, 100), *calls).saves_ns_without(calls) == 300
