"""The last that a run said or wrote: what its caller got."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log import Entry, EntryKind, EntryMaker
from otel_mas.analyse.log.content import SpanContents
from otel_mas.analyse.log.tasks import Cause
from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.semconv import RunOutcome
from otel_mas.semconv import attributes as names

_OUTPUTS = frozenset({EntryKind.ANSWER, EntryKind.STATE})
_WITHOUT = frozenset({RunOutcome.ERROR, RunOutcome.CANCELLED, RunOutcome.ABANDONED})


def final_output(graph: CausalGraph, content: RunContent) -> str | None:
    """Text of the last answer or change of the state; of a run that goes on the last one so far.

    An answer that the state holds is taken from its message. None where nothing was kept, and for a run that failed or
    was cancelled: its caller got nothing.
    """
    if outcome_without_output(graph) is not None:
        return None
    state: str | None = None
    for entry in _outputs_backwards(graph, content):
        if entry.kind is EntryKind.ANSWER and (state is None or (entry.text or "") in state):
            return entry.text
        if entry.kind is EntryKind.ANSWER:
            break
        state = state or entry.text
    return state


def outcome_without_output(graph: CausalGraph) -> RunOutcome | None:
    """Outcome of a run that gave its caller nothing: it failed, or was cancelled or abandoned; None for others."""
    outcome = run_outcome(graph)
    return outcome if outcome in _WITHOUT else None


def run_outcome(graph: CausalGraph) -> RunOutcome | None:
    """Outcome of the run that ended last; None where none has ended, or its outcome is not known."""
    roots = [root for root in graph.roots if root.columns.get(names.MAS_RUN_OUTCOME) is not None]
    last = max(roots, key=lambda root: root.last_ns, default=None)
    outcome = None if last is None else last.columns[names.MAS_RUN_OUTCOME]
    return RunOutcome(outcome) if outcome in set(RunOutcome) else None


def _outputs_backwards(graph: CausalGraph, content: RunContent) -> Iterator[Entry]:
    """Answers and changes of the state that have a text, the last one first: the first few are enough."""
    maker = EntryMaker()
    maker.use(_NoTasks(), SpanContents(content))
    ended = [(-span.end_ns, span.start_ns, number) for number, span in enumerate(graph.spans) if span.end_ns]
    for *_, number in sorted(ended):
        for entry in reversed(list(maker.end(graph.spans[number]))):
            if entry.kind in _OUTPUTS and entry.text:
                yield entry


class _NoTasks:
    """Tasks without names, which the output does not show."""

    def task(self, span: Span) -> str:
        return span.name

    def agent(self, span: Span) -> str | None:
        return span.agent

    def causes(self, span: Span) -> tuple[Cause, ...]:
        return ()


__all__ = ["final_output", "outcome_without_output", "run_outcome"]
