"""Whatever the trees, causes and clocks: steps follow each other without gap or overlap, and sum to the duration."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.causal import build
from otel_mas.model import Link, Span, SpanKind, Trace
from otel_mas.semconv import LinkKind, TaskOutcome
from otel_mas.semconv import attributes as names

IDS = [f"{i:016x}" for i in range(12)]
TRACES = [f"{i:032x}" for i in range(3)]
ids = st.sampled_from(IDS)
moments = st.integers(0, 25)
trace_ids = st.sampled_from(TRACES)
pairs = st.builds("{}-{}".format, trace_ids, ids)
keys = st.sampled_from(["c1|x", "c2|x", "task|k1", "broken"])
references = st.builds("{}|{}".format, st.sampled_from(["trigger", "send"]), keys) | st.just("broken")
waiting = st.builds("x={}={}".format, st.sampled_from(["trigger", "send"]), pairs | keys) | st.just("x")
links = st.builds(Link, trace_ids, ids, st.sampled_from([None, *LinkKind]))
nonsense = st.sampled_from([7, True, 0.5, b"x", "", [], [1], {"a": 1}])
columns = st.fixed_dictionaries(
    {},
    optional={
        names.MAS_TASK_ID: st.sampled_from(["k1", "k2", "k3"]) | nonsense,
        names.MAS_TASK_NAME: st.sampled_from(["a", "b"]) | nonsense,
        names.MAS_TASK_STEP: st.integers(0, 3) | nonsense,
        names.MAS_TASK_OUTCOME: st.sampled_from(list(TaskOutcome)) | nonsense,
        names.MAS_CAUSE_SPANS: st.lists(pairs | st.just("broken"), max_size=3) | nonsense,
        names.MAS_CAUSE_KINDS: st.lists(st.sampled_from(list(LinkKind)), max_size=3),
        names.MAS_CAUSE_REFS: st.lists(references, max_size=2) | nonsense,
        names.MAS_CHECKPOINT_PENDING: st.lists(waiting, max_size=2) | nonsense,
        names.MAS_CHECKPOINT_LAST_ID: st.sampled_from(["c1", "c2"]) | nonsense,
    },
)
spans = st.builds(
    Span,
    trace_ids,
    ids,
    st.none() | ids | st.just("gone"),
    st.sampled_from(["chat m", "invoke_agent x", ""]),
    moments,
    st.none() | moments,
    st.sampled_from([SpanKind.INTERNAL, SpanKind.PRODUCER, SpanKind.CONSUMER]),
    links=st.lists(links, max_size=4).map(tuple),
    columns=columns,
)


def gathered(found: list[Span]) -> list[Trace]:
    return [Trace(trace_id, tuple(s for s in found if s.trace_id == trace_id)) for trace_id in TRACES]


@given(st.lists(spans, max_size=16))
def test_anything_gives_a_graph_and_a_path(found: list[Span]) -> None:
    """Random parents, links, stable keys and clocks: nothing raises, every edge and every section has its node."""
    graph = build(gathered(found))
    path = graph.critical_path()
    at = path.start_ns
    for step in path.sections:
        assert step.start_ns == at < step.end_ns
        at = step.end_ns
    assert at == path.end_ns
    assert sum(step.duration_ns for step in path) == path.total_ns
    assert all(step.why for step in path.sections[:-1])
    known = {span.span_id for span in graph.spans} | set(graph.externals)
    assert {end for edge in graph.edges for end in (edge.cause, edge.effect)} <= known
    assert graph.to_networkx().number_of_edges() == len(graph.edges)
    assert len(set(graph.edges)) == len(graph.edges)
    assert set(graph.labels()) == {s.span_id for s in graph.spans if s.task_id and isinstance(s.task_id, str)}
    assert all("\n" not in line for line in graph.problems)


@given(st.lists(spans, max_size=16), st.randoms())
def test_the_order_of_the_traces_changes_nothing(found: list[Span], random: object) -> None:
    """Where no two spans share an id: of those it matters which comes first."""
    distinct = list({span.span_id: span for span in found}.values())
    ordered = sorted(distinct, key=lambda span: (span.start_ns, span.span_id))
    graph, other = build(gathered(ordered)), build(gathered(ordered)[::-1])
    starts = [span.start_ns for span in distinct]
    if len(set(starts)) == len(starts):  # ties are broken by order
        assert graph.critical_path().sections == other.critical_path().sections
        assert graph.edges == other.edges


@st.composite
def workflows(draw: st.DrawFn) -> list[Span]:
    """A workflow as a framework runs it: every task starts after its causes have ended, each with a call inside."""
    made = [Span("t1", "w", None, "w", 0, 10_000)]
    for i in range(draw(st.integers(1, 10))):
        causes = draw(st.lists(st.sampled_from(made[1::2]), unique=True, max_size=3)) if i else []
        ready = max((cause.end_ns or 0 for cause in causes), default=0)
        start = ready + draw(st.integers(1, 9))
        end = start + draw(st.integers(3, 50))
        found = tuple(Link("t1", cause.span_id, "trigger") for cause in causes)
        made.append(Span("t1", f"n{i}", "w", f"n{i}", start, end, links=found, columns={names.MAS_TASK_ID: f"{i}"}))
        made.append(Span("t1", f"m{i}", f"n{i}", "chat", start + 1, end - 1))
    return made


@given(workflows())
def test_every_task_on_the_path_follows_its_latest_cause(made: list[Span]) -> None:
    path = build([Trace("t1", tuple(made))]).critical_path()
    tasks = {span.span_id: span for span in made if span.task_id}
    walked = [step.span.span_id for step in path if step.span and step.span.span_id in tasks]
    on_path = list(dict.fromkeys(walked))
    for earlier, later in pairwise(on_path):
        causes = [tasks[link.span_id] for link in tasks[later].links]
        if causes:
            assert tasks[earlier].end_ns == max(cause.end_ns or 0 for cause in causes)
