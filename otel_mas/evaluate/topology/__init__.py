"""Expected topologies of runs: a small language, and its matching over causal edges."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.causal import CausalGraph, build
from otel_mas.evaluate.known_names import defined_tools
from otel_mas.evaluate.outcome import Outcome
from otel_mas.evaluate.topology.discovery import topology_text
from otel_mas.evaluate.topology.expectation import Expectation
from otel_mas.evaluate.topology.language import parse
from otel_mas.evaluate.topology.matching import match_observed
from otel_mas.evaluate.topology.observed import ObservedTopology
from otel_mas.evaluate.topology.result import TopologyResult, Verdict
from otel_mas.evaluate.topology.validation import validated
from otel_mas.model import Trace

if TYPE_CHECKING:
    import networkx

    Expected = str | Expectation | networkx.DiGraph[str]


@runtime_checkable
class _GraphHandle(Protocol):
    """A handle on a causal graph: what `trace.graph()` returns."""

    @property
    def causal(self) -> CausalGraph: ...


@runtime_checkable
class _RunHandle(Protocol):
    """A handle on a trace or a conversation."""

    incomplete: str | None

    def graph(self) -> _GraphHandle: ...
    def _facts(self) -> RunFacts: ...


Observable = CausalGraph | Trace | ObservedTopology | _GraphHandle | _RunHandle


def match(expected: Expected, graph: Observable) -> TopologyResult:
    """Hold an expected topology against a run.

    Args:
        expected: Text in the language of docs/topology.md, what `parse` made of it, or a networkx graph.
        graph: A causal graph; or a trace, a conversation or a graph of `otel_mas.open(...)`.

    Raises:
        BadExpectation: The expectation cannot be read, or means nothing.
        TypeError: One of them is something else.
    """
    return match_observed(expectation(expected), observe(graph))


def assert_topology(graph_or_trace: Observable, expected: Expected) -> None:
    """Raise `AssertionError`, which shows the expected beside the actual, unless a run has the expected topology.

    Insufficient evidence raises as well. Other errors as `match`. A name that the run does not know is warned about.
    """
    result = match(expected, graph_or_trace)
    if result.outcome is not Outcome.PASSED:
        raise AssertionError("\n".join([result.text, *(f"warning: {one}" for one in result.warnings)]))
    for one in result.warnings:
        warnings.warn(one, stacklevel=2)


def topology_of(graph: Observable, *, inside: bool = False, counts: bool = False) -> str:
    """The topology of a run as an expectation that it fulfils, to begin with.

    Args:
        graph: As for `match`.
        inside: With the model, the tools and the middleware that prebuilt agents consist of.
        counts: With the numbers of executions and calls as cardinalities.

    Raises:
        TypeError: It is no graph and no run.
    """
    return topology_text(observe(graph), inside=inside, counts=counts)


def observe(graph: Observable) -> ObservedTopology:
    """The topology of a run, gathered once for several expectations. Raises as `topology_of`."""
    if isinstance(graph, ObservedTopology):
        return graph
    if isinstance(graph, CausalGraph):
        return ObservedTopology(graph)
    if isinstance(graph, Trace):
        return ObservedTopology(build([graph]))
    if isinstance(graph, _GraphHandle):
        return ObservedTopology(graph.causal)
    if isinstance(graph, _RunHandle):
        return ObservedTopology(graph.graph().causal, graph.incomplete, lambda: defined_tools(graph._facts()))
    raise TypeError(f"{graph!r} is no graph and no run: give a trace, a conversation or a causal graph")


def expectation(expected: Expected) -> Expectation:
    """An expectation from its text or its graph, parsed once for several runs. Raises as `match`."""
    if isinstance(expected, Expectation):
        return expected
    if isinstance(expected, str):
        return parse(expected)
    if hasattr(expected, "is_directed") and hasattr(expected, "edges"):
        from otel_mas.evaluate.topology.networkx_form import from_networkx

        return validated(from_networkx(expected))
    raise TypeError(f"expected is {expected!r}: give text, or a networkx graph")


__all__ = [
    "Expectation",
    "ObservedTopology",
    "TopologyResult",
    "Verdict",
    "assert_topology",
    "expectation",
    "match",
    "observe",
    "parse",
    "topology_of",
]
