"""Ancestry: what spans follow from, and what is around them."""

from __future__ import annotations

import random
from collections.abc import Callable

import networkx
import pytest

from otel_mas.causal import CausalGraph, build
from otel_mas.model import Span, Trace

_Graph = Callable[..., CausalGraph]
_Span = Callable[..., Span]


@pytest.fixture
def graph_of(traces: Callable[..., list[Trace]]) -> _Graph:
    return lambda *spans: build(traces(*spans))


def test_span_follows_from_causes_of_its_causes_and_from_what_is_around_it(graph_of: _Graph, span: _Span) -> None:
    graph = graph_of(
        span("run", 0, 9),
        span("first", 1, 2, "run"),
        span("second", 3, 4, "run", causes=[("control", "first")]),
        span("inner", 3, 4, "second"),
    )
    assert graph.ancestry.follows("inner", "first")
    assert graph.ancestry.follows("inner", "run")
    assert not graph.ancestry.follows("first", "inner")


def test_spans_around_both_are_no_cause(graph_of: _Graph, span: _Span) -> None:
    graph = graph_of(span("run", 0, 9), span("left", 1, 2, "run"), span("right", 1, 2, "run"))
    assert not graph.ancestry.caused_by("right", "left")


def test_span_is_caused_by_what_lies_in_its_cause(graph_of: _Graph, span: _Span) -> None:
    graph = graph_of(
        span("run", 0, 9),
        span("outer", 1, 2, "run"),
        span("inner", 1, 2, "outer"),
        span("after", 3, 4, "run", causes=[("control", "outer")]),
    )
    assert graph.ancestry.caused_by("after", "inner")
    assert not graph.ancestry.caused_by("inner", "after")
    assert not graph.ancestry.follows("after", "inner")


def test_span_is_no_ancestor_of_its_own(graph_of: _Graph, span: _Span) -> None:
    graph = graph_of(span("run", 0, 9), span("one", 1, 2, "run"))
    assert not graph.ancestry.follows("one", "one")


def test_unknown_spans_are_key_errors(graph_of: _Graph, span: _Span) -> None:
    with pytest.raises(KeyError):
        graph_of(span("run", 0, 9)).ancestry.follows("run", "none")


def test_nesting_of_many_thousands_needs_no_recursion(graph_of: _Graph, span: _Span) -> None:
    spans = [span("0", 0, 9), *(span(str(n), 0, 9, str(n - 1)) for n in range(1, 5_000))]
    assert graph_of(*spans).ancestry.follows("4999", "0")


@pytest.mark.parametrize("seed", range(10))
def test_ancestors_are_those_that_networkx_finds(graph_of: _Graph, span: _Span, seed: int) -> None:
    dice = random.Random(seed)
    spans = [span("0", 0, 99)]
    for n in range(1, 40):
        causes = [("control", str(dice.randrange(n))) for _ in range(dice.randrange(3))]
        spans.append(span(str(n), n, 99, str(dice.randrange(n)), causes=causes))
    graph = graph_of(*spans)
    known = graph.to_networkx()
    for effect in range(40):
        above = networkx.ancestors(known, str(effect))
        assert {str(n) for n in range(40) if graph.ancestry.follows(str(effect), str(n))} == above
