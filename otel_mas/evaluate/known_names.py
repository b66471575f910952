"""Names that a run knows, and warnings about expectations with other ones: they may be misspelled."""

from __future__ import annotations

from collections.abc import Mapping

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.findings.requested_calls import definitions
from otel_mas.analyse.topology import GraphScopes
from otel_mas.causal import CausalGraph
from otel_mas.errors.similar import did_you_mean
from otel_mas.evaluate.context import RunContext


def warn_unless_known(context: RunContext, kind: ExecutionKind, name: str | None) -> None:
    """Warn about a tool, agent or model of which the run knows nothing: neither a call nor a declaration."""
    known = context.once(_known)[kind]
    if name is not None and name not in known:
        context.warn(f"no {kind.value} {name!r} is known in this run{did_you_mean(name, sorted(known))}")


def _known(context: RunContext) -> Mapping[ExecutionKind, frozenset[str]]:
    called = {kind: {one.name for one in context.executions if one.kind == kind} for kind in ExecutionKind}
    agents = {one.agent for one in context.executions if one.agent is not None}
    return {
        ExecutionKind.AGENT: frozenset(called[ExecutionKind.AGENT] | agents | declared_names(context.graph)),
        ExecutionKind.TOOL: frozenset(called[ExecutionKind.TOOL] | defined_tools(context.facts)),
        ExecutionKind.MODEL: frozenset(called[ExecutionKind.MODEL]),
    }


def declared_names(graph: CausalGraph) -> frozenset[str]:
    """Names of the nodes that the graphs of a run declare, and of the agents that these are."""
    return frozenset(name for topology in GraphScopes(graph).topologies() for name in topology.names())


def defined_tools(facts: RunFacts) -> frozenset[str]:
    """Names of the tools that models were told of, as far as that was kept."""
    return frozenset(name for asker in facts.model_calls for name in definitions(facts, asker) or ())


__all__ = ["declared_names", "defined_tools", "warn_unless_known"]
