"""Matching against a brute-force reference, on all sorts of small runs; and discovery, which has to match its run."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from otel_mas.evaluate import Outcome
from otel_mas.evaluate.topology import Expectation, match, parse, topology_of
from otel_mas.evaluate.topology.expectation import ExpectedEdge
from tests.unit.evaluate.topology.reference import START, SmallRun, holds, variables_hold
from tests.unit.evaluate.topology.runs import RUN, RunBuilder

_NAMES, _TOOLS = "abc", "xy"


@st.composite
def _runs(draw: st.DrawFn) -> tuple[SmallRun, RunBuilder]:
    """A run of up to seven tasks, some inside of others, each caused by earlier ones in the same graph."""
    small, run, ids = SmallRun(), RunBuilder(), [RUN]
    for i in range(draw(st.integers(1, 7))):
        around = draw(st.sampled_from([START, START, *range(i)]))
        name = draw(st.sampled_from(_NAMES))
        beside = [j for j in range(i) if small.around[j] == around]
        causes = draw(st.lists(st.sampled_from(beside), unique=True, max_size=3)) if beside else []
        small.paths.append(name if around == START else f"{small.paths[around]}/{name}")
        small.around.append(around)
        small.edges |= {(cause, i) for cause in causes or [around]}
        inside = ids[around + 1]
        ids.append(run.task(name, *(ids[cause + 1] for cause in causes), inside=inside))
        for tool in draw(st.lists(st.sampled_from(_TOOLS), max_size=2)):
            small.calls.append((i, tool))
            run.tool(tool, inside=ids[-1])
    return small, run


_cardinalities = st.sampled_from(["", "", "", "*", "+", "?", "{1}", "{2}", "{1,2}", "{2,}", "{0}"])
_name = st.sampled_from(["a", "b", "c", "{a, b}", "*", '"*"', "a/b", "/a", "{b, a/c}"])
_term = st.tuples(_name, _cardinalities).map("".join)
_statements = st.one_of(
    _term,
    st.tuples(st.just("never "), _name).map("".join),
    st.tuples(st.sampled_from(["", "each "]), _term, st.just(" -> "), _term).map("".join),
    st.tuples(st.just("never "), _name, st.just(" -> "), _name).map("".join),
    st.tuples(st.just("START -> "), _term).map("".join),
    st.tuples(st.sampled_from(["", "each "]), _term, st.just(" => "), st.sampled_from(_TOOLS), _cardinalities).map(
        "".join
    ),
    st.tuples(_name, st.just(" before "), _name).map("".join),
    st.tuples(st.just("never "), _name, st.just(" before "), _name).map("".join),
    st.tuples(_name, st.just(" joins "), _term).map("".join),
)
_ends = st.sampled_from(["$p", "$q", "$r", "$s", "a", "b", "*", "START"])
_variable_edges = st.lists(
    st.tuples(_ends, _ends.filter(lambda end: end != "START"), st.sampled_from(["", "{2}", "+"])),
    min_size=1,
    max_size=4,
)


@settings(max_examples=2 * settings().max_examples)
@given(_runs(), st.lists(_statements, min_size=1, max_size=8))
def test_each_statement_holds_where_the_reference_says_so(runs: tuple[SmallRun, RunBuilder], texts: list[str]) -> None:
    small, run = runs
    expected = parse("; ".join(texts))

    verdicts = match(expected, run.graph()).verdicts

    assert [one.outcome is Outcome.PASSED for one in verdicts] == [holds(one, small) for one in expected.statements]
    assert Outcome.INSUFFICIENT_EVIDENCE not in {one.outcome for one in verdicts}


@settings(max_examples=2 * settings().max_examples)
@given(_runs(), _variable_edges)
def test_variables_stand_for_nodes_where_the_reference_finds_some(
    runs: tuple[SmallRun, RunBuilder], written: list[tuple[str, str, str]]
) -> None:
    small, run = runs
    expected = parse("; ".join(f"{source} -> {target}{number}" for source, target, number in written))
    edges = [one for one in expected.statements if isinstance(one, ExpectedEdge) and one.has_variable]
    if not edges:
        return

    result = match(Expectation(tuple(edges)), run.graph())

    assert (result.outcome is Outcome.PASSED) == variables_hold(edges, small)


@given(_runs(), st.booleans())
def test_what_is_discovered_holds_of_the_run_and_is_all_of_it(runs: tuple[SmallRun, RunBuilder], counts: bool) -> None:
    _, run = runs

    result = match(topology_of(run.graph(), counts=counts) + "\nnothing else", run.graph())

    assert result.outcome is Outcome.PASSED, result.text
