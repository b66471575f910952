"""Diffs of two runs: what changed in which step, from where on, and what follows from what."""

from __future__ import annotations

from otel_mas.analyse.content import NO_CONTENT
from otel_mas.analyse.diff import Change, Limits, RunSteps, diff_runs
from otel_mas.semconv import attributes as names
from tests.unit.analyse.diff.runs import MS, Recorded, diff, model, other, run, task, told, tool

TEAM = run(
    task("plan", model("what to do?", "research, then write")),
    task("research", model("find trams", "412 trams"), tool("search", "trams", "a list"), after=("plan",)),
    task("weather", model("what weather?", "rain"), after=("plan",)),
    task("write", model("write about 412 trams", "a report on 412 trams"), after=("research", "weather")),
)


def test_two_runs_of_the_same_are_the_same() -> None:
    found = diff(TEAM, TEAM)

    assert found.same
    assert found.first_divergence is None
    assert found.summary == "no difference in 10 steps"
    assert found.consequences(found.first_divergence) == ()


def test_stores_with_other_keys_are_compared_by_text() -> None:
    assert diff(TEAM, TEAM, keys=("one", "other")).same


def test_an_inserted_call_shifts_none_of_the_others() -> None:
    questions = [model(f"question {number}", f"answer {number}") for number in range(6)]
    before = run(task("agent", *questions))
    after = run(task("agent", *questions[:2], model("another question", "another answer"), *questions[2:]))

    found = diff(before, after)

    assert told(found) == {"agent#1/model#3": ["added"]}
    assert [step.label for step in found.steps][3:6] == ["agent#1/model#2", "agent#1/model#3", "agent#1/model#4"]
    moved = found.steps[5]
    assert moved.a is not None
    assert (moved.a.label, moved.label) == ("agent#1/model#3", "agent#1/model#4")


def test_without_content_an_inserted_call_is_one_call_more() -> None:
    assert list(told(diff(run(*[model()] * 3), run(*[model()] * 4))).values()) == [["added"]]


def test_what_was_not_kept_of_one_run_is_no_difference_and_the_summary_says_so() -> None:
    silent = run(*(one.having(question="", answer="", inside=(model(),)) for one in TEAM.inside))
    spoken = run(*(one.having(inside=(model("why?", "so"),)) for one in TEAM.inside))

    for a, b in ((silent, spoken), (spoken, silent), (silent, silent)):
        found = diff(a, b)
        assert found.same
        assert not found.content_compared
        assert (
            found.summary == "no difference in 9 steps; questions and answers were not found in both, and not compared"
        )


def test_without_content_another_error_is_another_answer() -> None:
    failing = [
        run(model(columns={names.ERROR_TYPE: kind})) for kind in ("ValueError", "builtins.ValueError", "KeyError")
    ]

    assert diff(failing[0], failing[1]).same
    assert told(diff(failing[0], failing[2])) == {"model#1": ["answered differently"]}


def test_what_a_step_answered_and_what_follows_from_it() -> None:
    research = TEAM.inside[1]
    other_answer = research.having(inside=(model("find trams", "9 trams"), research.inside[1]))
    write = TEAM.inside[3].having(inside=(model("write about 9 trams", "a report on 9 trams"),))
    independent = TEAM.inside[2].having(inside=(model("what weather?", "sun"),))

    found = diff(TEAM, run(TEAM.inside[0], other_answer, independent, write))

    assert told(found) == {
        "research#1/model#1": ["answered differently"],
        "weather#1/model#1": ["answered differently"],
        "write#1/model#1": ["asked differently", "answered differently"],
    }
    first = found.first_divergence
    assert first is not None
    assert (first.label, first.before, first.after) == ("research#1/model#1", "412 trams", "9 trams")
    assert [step.label for step in found.divergences] == ["research#1/model#1", "weather#1/model#1"]
    assert [step.label for step in found.consequences(first)] == ["write#1/model#1"]
    assert found.summary.endswith("differs from research#1/model#1 on")


def test_another_prompt_is_where_runs_differ_though_nothing_before_it_does() -> None:
    write = TEAM.inside[3].having(inside=(model("write in French", "un rapport"),))

    found = diff(TEAM, run(*TEAM.inside[:3], write))

    assert found.summary == "1 step asked differently, 1 answered differently; differs from write#1/model#1 on"


def test_a_step_that_is_left_out_and_what_follows_from_that() -> None:
    write = TEAM.inside[3].having(inside=(model("write about nothing", "nothing"),), after=("weather",))

    found = diff(TEAM, run(TEAM.inside[0], TEAM.inside[2], write))

    removed = [label for label, changes in told(found).items() if changes == ["removed"]]
    assert removed == ["research#1", "research#1/model#1", "research#1/tool:search#1"]
    assert found.first_divergence is not None
    assert found.first_divergence.label == "research#1"
    assert {found.follows_from(step) for step in found.differing} == {found.first_divergence}
    assert found.causes_gone == (("plan#1", "research#1"), ("research#1", "write#1"))
    assert found.causes_new == ()


def test_calls_in_another_order_are_reordered() -> None:
    calls = [tool(name, "x", name) for name in ("search", "look_up", "measure")]

    found = diff(run(task("agent", *calls)), run(task("agent", calls[2], *calls[:2])))

    assert list(told(found).values()) == [["reordered"]]


def test_tasks_that_run_side_by_side_have_no_order() -> None:
    workers = [task("worker", model(f"part {number}", f"done {number}"), question=str(number)) for number in range(5)]
    before, after = (run(*order, side_by_side=True) for order in (workers, [workers[at] for at in (3, 0, 4, 2, 1)]))

    found = diff(before, after)

    assert found.same
    assert all(step.before is None for step in found.steps)


def test_another_model_at_the_same_place() -> None:
    found = diff(run(model("a", "b", name="large")), run(model("a", "b", name="small")))

    assert told(found) == {"model#1": ["renamed"]}


def test_a_task_that_was_renamed_is_found_by_what_is_inside() -> None:
    inside = (model("a", "b"), tool("search", "c", "d"))

    found = diff(run(task("writer", *inside), task("end")), run(task("author", *inside), task("end")))

    assert told(found) == {"author#1": ["renamed"]}


def test_a_span_of_other_code_around_steps_hides_none_of_them() -> None:
    inside = (task("plan", model("a", "b")), task("write", model("c", "d")))

    found = diff(run(*inside), run(other("middleware", other("auth", *inside))))

    assert told(found) == {"span:middleware#1": ["added"], "span:auth#1": ["added"]}


def test_a_step_that_failed_ended_differently() -> None:
    failed = {names.MAS_TASK_OUTCOME: "error"}

    found = diff(run(task("a"), task("b")), run(task("a"), task("b", columns=failed)))

    assert told(found) == {"b#1": ["ended differently"]}


def test_slower_and_dearer_by_ratio_and_amount() -> None:
    limits = Limits()

    assert limits.time(1000 * MS, 2000 * MS) is Change.SLOWER
    assert limits.time(2000 * MS, 1000 * MS) is Change.FASTER
    assert limits.time(1 * MS, 3 * MS) is None  # a multiple, but less than anybody notices
    assert limits.time(10_000 * MS, 10_500 * MS) is None  # much, but no great part
    assert limits.time(None, 5 * MS) is None
    assert limits.cost(1.0, 2.0) is Change.DEARER
    assert limits.cost(0.000_001, 0.000_002) is None


def test_times_and_costs_are_told_but_are_no_divergence() -> None:
    def answered(took: int, usd: float) -> Recorded:
        return Recorded(run(task("a", model("x", "y", took_ms=took, columns={names.MAS_COST_USD: usd}))))

    found = diff_runs(answered(10, 0.01).steps, answered(510, 0.03).steps)

    assert found.same
    assert found.slower_ns == 500 * MS
    assert found.dearer_usd is not None
    assert round(found.dearer_usd, 9) == 0.02
    model_call = found.steps[-1]
    assert model_call.changes == (Change.SLOWER, Change.DEARER)
    assert found.summary == "no difference in 3 steps; 3 slower, 3 dearer; +500 ms, +$0.0200"


def test_without_content_on_one_side_nothing_is_said_about_it() -> None:
    with_content, without = Recorded(TEAM), Recorded(TEAM)
    unknown = RunSteps(without.steps.tree.graph, NO_CONTENT)

    found = diff_runs(with_content.steps, unknown)

    assert told(found) == {}
    assert len(found.steps) == 10
