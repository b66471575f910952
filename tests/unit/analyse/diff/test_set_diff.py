"""Diffs of two sets of runs: which steps are in what share of each, and what they took and answered there."""

from __future__ import annotations

from otel_mas.analyse.diff import RunSample, SetDiff, diff_sets
from tests.unit.analyse.diff.runs import MS, Node, Recorded, model, run, task


def sets(before: list[Node], after: list[Node]) -> SetDiff:
    samples = [[RunSample.of(Recorded(one).steps) for one in side] for side in (before, after)]
    return diff_sets(*samples)


def told(found: SetDiff) -> dict[str, list[str]]:
    return {step.label: [change.value for change in step.changes] for step in found.differing}


def team(number: int, *more: Node, took_ms: int = 100, answer: str = "a report") -> Node:
    return run(task("plan"), *more, task("write", model("write", answer, took_ms=took_ms + number)))


def test_two_sets_of_the_same_app_are_the_same() -> None:
    found = sets(list(map(team, range(8))), list(map(team, range(8))))

    assert found.same
    assert found.summary == "8 runs and 8: no difference in 4 steps; +0 s in the median"


def test_steps_that_only_one_set_has() -> None:
    before = [team(number, *[task("check")] * (number % 2)) for number in range(8)]
    after = [team(number, *[task("review")] * (number == 0)) for number in range(8)]

    found = sets(before, after)

    assert told(found) == {"check#1": ["removed"], "review#1": ["added"]}
    shares = {step.label: (step.share_before, step.share_after) for step in found.steps}
    assert (shares["check#1"], shares["review#1"], shares["write#1"]) == ((0.5, 0.0), (0.0, 0.125), (1.0, 1.0))


def test_a_branch_that_is_taken_more_often() -> None:
    before = [team(number, *[task("retry")] * (number == 0)) for number in range(20)]
    after = [team(number, *[task("retry")] * (number > 0)) for number in range(20)]

    assert told(sets(before, after)) == {"retry#1": ["more often"]}


def test_slower_only_where_it_is_no_chance() -> None:
    before = [team(number) for number in range(10)]
    after = [team(number, took_ms=200) for number in range(10)]

    found = sets(before, after)

    assert told(found)["write#1/model#1"] == ["slower"]
    assert found.slower_ns == 100 * MS
    assert sets(before[:2], after[:2]).same  # two runs of each prove nothing


def test_answers_that_no_run_before_gave() -> None:
    before = [team(number, answer=f"report {number % 3}") for number in range(6)]
    after = [team(number, answer=f"report {number}") for number in range(6)]

    step = next(step for step in sets(before, after).steps if step.kind == "model")

    assert step.new_answers == 0.5
    assert [change.value for change in step.changes] == ["answered differently"]
