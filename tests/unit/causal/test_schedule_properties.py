"""Whatever the trees, causes and clocks: a run without changes is the recorded one, and slack is what it says."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.causal import CausalGraph, build
from otel_mas.causal.schedule import (
    Change,
    Faster,
    Lasting,
    Parallel,
    Without,
    WithoutBarriers,
    WithoutRetries,
    WithoutWaiting,
    reschedule,
)
from otel_mas.causal.schedule import (
    slack as slack_of,
)
from otel_mas.causal.schedule.dependencies import NOTHING, find_dependencies
from otel_mas.causal.schedule.scenario import Recorded
from otel_mas.causal.schedule.timing import last_end, times_of
from otel_mas.errors import UnsupportedQuery
from otel_mas.model import Link, Span, Trace
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names
from tests.unit.causal.test_critical_path_properties import IDS, gathered, spans, workflows

many = st.lists(spans, min_size=1, max_size=16)


def graph_of(found: list[Span]) -> CausalGraph:
    return build(gathered(found))


@given(many)
def test_no_change_is_the_recorded_run(found: list[Span]) -> None:
    graph = graph_of(found)
    schedule = reschedule(graph)
    assert schedule.total_ns == schedule.recorded_ns == graph.critical_path().total_ns
    assert [schedule.times(span.span_id) for span in graph.spans] == [
        (span.start_ns, end) for span, end in zip(graph.spans, graph.ends, strict=True)
    ]
    assert schedule.graph is graph
    _ = schedule.assumptions


changes = st.lists(
    st.builds(Faster, st.sampled_from(IDS), st.floats(1, 10))
    | st.builds(Without, st.sampled_from(IDS))
    | st.sampled_from([WithoutRetries(), WithoutWaiting(), WithoutBarriers()]),
    min_size=1,
    max_size=3,
)


@given(many, changes, changes)
def test_what_gets_faster_never_ends_the_run_later(found: list[Span], some: list[Change], more: list[Change]) -> None:
    graph = graph_of(found)
    known = {span.span_id for span in graph.spans}
    some, more = ([one for one in wanted if getattr(one, "target", IDS[0]) in known] for wanted in (some, more))
    less, least = reschedule(graph, some), reschedule(graph, [*some, *more])
    assert least.end_ns <= less.end_ns <= reschedule(graph).end_ns
    assert least.critical_path().total_ns == least.total_ns
    assert {span.span_id for span in least.graph.spans} == known - least.removed
    _ = less.assumptions, least.assumptions


@given(many, st.lists(st.sampled_from(IDS), min_size=2, max_size=5))
def test_side_by_side_is_never_later_than_one_after_the_other(found: list[Span], members: list[str]) -> None:
    graph = graph_of(found)
    known = [member for member in members if member in {span.span_id for span in graph.spans}]
    try:
        schedule = reschedule(graph, [Parallel(known or members)])
    except UnsupportedQuery:
        return
    assert schedule.end_ns <= reschedule(graph).end_ns
    assert schedule.critical_path().total_ns == schedule.total_ns
    _ = schedule.assumptions


@given(many)
def test_slack_is_the_longest_delay_that_changes_nothing(found: list[Span]) -> None:
    graph = graph_of(found)
    recorded = Recorded(find_dependencies(graph._forest, graph._links))
    waits, lags, end = recorded.waits, recorded.lags, last_end(recorded.waits, recorded.times)

    def ends_after(number: int, longer: int) -> int:
        later = lags[:]
        later[waits.count + number] += longer
        return last_end(waits, times_of(waits, later))

    for number, slack in enumerate(slack_of(graph).values()):
        if slack is None:
            assert ends_after(number, 1000) == end
        else:
            assert slack >= 0
            assert ends_after(number, slack) == end
            assert ends_after(number, slack + 1) == end + 1 or waits.limits


@st.composite
def pools(draw: st.DrawFn) -> tuple[CausalGraph, int]:
    """A step whose tasks are taken up by a few workers, each at once when it is free; and how many workers."""
    workers = draw(st.integers(1, 4))
    took = draw(st.lists(st.integers(8, 60), min_size=workers + 1, max_size=10))
    free = [0] * workers
    made = [Span("t1", "w", None, "w", 0, 10_000)]
    for number, duration in enumerate(took):
        start = max(min(free), number) + 1
        free[free.index(min(free))] = start + duration
        columns = {names.MAS_TASK_ID: f"{number}", names.MAS_TASK_STEP: 1}
        made.append(Span("t1", f"n{number}", "w", "n", start, start + duration, columns=columns))
    last = Span("t1", "w", None, "w", 0, max(free) + 5)
    return build([Trace("t1", (last, *sorted(made[1:], key=lambda one: one.start_ns)))]), workers


@given(pools(), st.integers(1, 9), st.integers(1, 4))
def test_tasks_take_the_places_that_are_free(pool: tuple[CausalGraph, int], which: int, times: int) -> None:
    """With other durations they start as the workers would take them up, and slack is what they can bear at least."""
    graph, workers = pool
    tasks = graph.spans[1:]
    changed = tasks[which % len(tasks)]
    schedule = reschedule(graph, [Faster(changed.span_id, times)])
    recorded = Recorded(find_dependencies(graph._forest, graph._links))
    if not recorded.waits.limits:
        return
    ends: list[int] = []
    for number, task in enumerate(tasks):
        start, end = schedule.times(task.span_id)
        still_running = sum(one > start for one in ends)
        assert still_running < workers
        if number >= workers:
            assert start - sorted(ends)[-workers] <= 5
        ends.append(end)
    for number, slack in enumerate(slack_of(graph).values()):
        later = recorded.lags[:]
        later[recorded.waits.count + number] += slack or 0
        assert last_end(recorded.waits, times_of(recorded.waits, later)) == schedule.recorded_ns


@given(workflows())
def test_slack_is_0_on_the_critical_path(made: list[Span]) -> None:
    """Without steps that hold tasks, the path is a chain of what decided the end; where two did, both have no slack."""
    graph = build([Trace("t1", tuple(made))])
    found = slack_of(graph)
    path = {span.span_id for span in graph.critical_path().spans}
    assert {span_id for span_id, slack in found.items() if slack == 0} >= path
    for span_id in found.keys() - path:
        if found[span_id] == 0 and not graph.children_of(span_id):
            assert reschedule(graph, [Lasting(span_id, graph.span(span_id).duration_ns + 1)]).saves_ns < 0


@given(many)
def test_drag_is_what_the_run_saves_if_a_span_takes_no_time(found: list[Span]) -> None:
    """Under limits at least that: others take the places of what has ended."""
    graph = graph_of(found)
    limited = Recorded(find_dependencies(graph._forest, graph._links)).waits.limits
    for span, drag in zip(graph.spans, reschedule(graph).drag_ns.values(), strict=True):
        saved = reschedule(graph, [Lasting(span.span_id, 0)]).saves_ns
        assert drag <= saved if limited else drag == saved


@given(many)
def test_exclusive_drag_is_what_the_run_saves_if_only_the_time_between_its_children_goes(found: list[Span]) -> None:
    graph = graph_of(found)
    recorded = Recorded(find_dependencies(graph._forest, graph._links))
    waits, schedule = recorded.waits, reschedule(graph)
    if waits.limits:
        return
    end = last_end(waits, recorded.times)
    both = zip(schedule.exclusive_drag_ns.values(), schedule.drag_ns.values(), strict=True)
    for number, (exclusive, drag) in enumerate(both):
        if recorded.times[number] == recorded.times[waits.count + number]:
            assert exclusive == drag
            continue
        lags = recorded.lags[:]
        lags[waits.count + number] = 0
        for child in range(waits.count):
            if waits.parent[child] == number and waits.before[child] != NOTHING:
                lags[child] = 0
        assert exclusive == end - last_end(waits, times_of(waits, lags))
        assert exclusive <= drag


@st.composite
def conversing(draw: st.DrawFn) -> list[Span]:
    """A workflow in which calls deep inside tasks read what those inside others wrote, or triggered each other."""
    made = draw(workflows())
    calls = [span for span in made if span.name == "chat"]
    kinds = st.sampled_from([LinkKind.MESSAGE, LinkKind.TRIGGER])
    for number, call in enumerate(calls):
        read = draw(st.lists(st.sampled_from(calls), unique=True, max_size=2))
        found = tuple(Link("t1", one.span_id, draw(kinds)) for one in read if one is not call)
        made[made.index(call)] = replace(call, links=found)
        if draw(st.booleans()):
            made.append(Span("t1", f"i{number}", call.span_id, "retrieval", call.start_ns, (call.end_ns or 0) - 1))
    return made


@given(conversing())
def test_drag_of_workflows_is_what_they_save(made: list[Span]) -> None:
    graph = build([Trace("t1", tuple(made))])
    drag = reschedule(graph).drag_ns.values()
    assert list(drag) == [reschedule(graph, [Lasting(span.span_id, 0)]).saves_ns for span in graph.spans]


@given(pools())
def test_drag_in_a_pool_of_workers_is_at_least_that_of_the_places_as_they_were_taken(
    pool: tuple[CausalGraph, int],
) -> None:
    graph, _ = pool
    for span, drag in zip(graph.spans, reschedule(graph).drag_ns.values(), strict=True):
        assert 0 <= drag <= reschedule(graph, [Lasting(span.span_id, 0)]).saves_ns
