"""The last that a run said or wrote: what its caller got."""

from __future__ import annotations

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log import EntryFilter, EntryKind, log
from otel_mas.causal import CausalGraph
from otel_mas.semconv import RunOutcome
from otel_mas.semconv import attributes as names

_OUTPUTS = frozenset({EntryKind.ANSWER, EntryKind.STATE})
_WITHOUT = frozenset({RunOutcome.ERROR, RunOutcome.CANCELLED, RunOutcome.ABANDONED})


def final_output(graph: CausalGraph, content: RunContent) -> str | None:
    """Text of the last answer or change of the state, in causal order; of a run that goes on the last one so far.

    An answer that the state holds is taken from its message. None where nothing was kept, and for a run that failed or
    was cancelled: its caller got nothing.
    """
    roots = [root for root in graph.roots if root.columns.get(names.MAS_RUN_OUTCOME) is not None]
    if roots and max(roots, key=lambda root: root.last_ns).columns[names.MAS_RUN_OUTCOME] in _WITHOUT:
        return None
    found: str | None = None
    is_answer = False
    for entry in log(graph, content, chosen=EntryFilter(kinds=_OUTPUTS)):
        if not entry.text:
            continue
        if entry.kind is EntryKind.STATE and is_answer and found is not None and found in entry.text:
            continue
        found, is_answer = entry.text, entry.kind is EntryKind.ANSWER
    return found


__all__ = ["final_output"]
