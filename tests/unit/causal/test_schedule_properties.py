"""Whatever the trees, causes and clocks: a run without changes is the recorded one, and slack is what it says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_mas.causal import CausalGraph, build
from otel_mas.causal.schedule import (
    Change,
    Faster,
    Without,
    WithoutBarriers,
    WithoutRetries,
    WithoutWaiting,
    reschedule,
)
from otel_mas.causal.schedule import (
    slack as slack_of,
)
from otel_mas.causal.schedule.dependencies import find_dependencies
from otel_mas.causal.schedule.scenario import Recorded
from otel_mas.causal.schedule.timing import last_end, times_of
from otel_mas.model import Span
from tests.unit.causal.test_critical_path_properties import IDS, gathered, spans

many = st.lists(spans, min_size=1, max_size=16)


def graph_of(found: list[Span]) -> CausalGraph:
    return build(gathered(found))


@settings(max_examples=150)
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


@settings(max_examples=150)
@given(many, changes, changes)
def test_what_gets_faster_never_ends_the_run_later(found: list[Span], some: list[Change], more: list[Change]) -> None:
    graph = graph_of(found)
    known = {span.span_id for span in graph.spans}
    some, more = ([one for one in wanted if getattr(one, "target", IDS[0]) in known] for wanted in (some, more))
    less, least = reschedule(graph, some), reschedule(graph, [*some, *more])
    assert least.end_ns <= less.end_ns <= reschedule(graph).end_ns
    assert all(sum(step.duration_ns for step in one.critical_path()) >= 0 for one in (less, least))
    assert {span.span_id for span in least.graph.spans} == known - least.removed
    _ = less.assumptions, least.assumptions


@settings(max_examples=150)
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
