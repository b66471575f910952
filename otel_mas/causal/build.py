"""From traces to the graph of their causes."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.causal.causes import find_causes
from otel_mas.causal.clocks import without_skew
from otel_mas.causal.forest import build_forest
from otel_mas.causal.graph import CausalGraph
from otel_mas.causal.problems import Problems
from otel_mas.model import Trace


def build(traces: Sequence[Trace], *, whole: bool = False) -> CausalGraph:
    """Build one graph over one trace, or over the traces of a conversation.

    Never raises over what is wrong with the data; `CausalGraph.problems` says, a line each, what was wrong and what was
    made of it:

    - Of spans with the same id the first that has ended is kept (the first, where none has).
    - A span whose parent is not in its trace is a root; so is the earliest span of a cycle of parents.
    - A span that is still open is taken to last until the last instant seen in its trace.
    - A span that ends before it starts is an instant at its start.
    - An empty span of another instrumentation that invokes what lies beside it is the parent of that.
    - A cause in a trace that was not given, or that its trace lacks, is an external node: an id without a span.
    - Spans of a machine whose clock differs are moved, all of them by the same time (`causal.clocks`).
    - Cycles of links stay in the graph; time breaks them on the critical path.

    Bodies are not decoded: links and columns are enough.

    Args:
        traces: Of one run, or of a conversation.
        whole: These are all the traces of the conversation: a cause that they lack is nowhere.
    """
    problems = Problems(single=len(traces) == 1, whole=whole)
    traces, problems.skews = without_skew(traces)
    forest = build_forest(traces, problems)
    links = find_causes(forest, problems)
    incomplete = tuple(f"trace {trace.trace_id}: {trace.incomplete}" for trace in traces if trace.incomplete)
    return CausalGraph(forest, links, problems.lines(), incomplete)
