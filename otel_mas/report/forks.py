"""Forks: the checkpoint from which a run, or an update of a thread's state, branched off."""

from __future__ import annotations

from otel_mas.causal import CausalGraph
from otel_mas.model import Span
from otel_mas.report.text import plain
from otel_mas.semconv import attributes as names


def forked(span: Span) -> str | None:
    """From which checkpoint, and the trace that had made it; None where it did not branch off."""
    if not (span.columns.get(names.MAS_CHECKPOINT_ID) or span.columns.get(names.MAS_CHECKPOINT_LAST_ID)):
        return None
    checkpoint = span.get(names.MAS_FORK_CHECKPOINT_ID)
    if checkpoint is None:
        return None
    made_by = plain(span.get(names.MAS_FORK_SPAN) or "").partition("-")[0]
    return f"forked from {f'trace {made_by[:16]} at ' if made_by else ''}checkpoint {plain(checkpoint)}"


def beginnings(causal: CausalGraph) -> dict[str, str]:
    """By span id the first task of each run that branched off, and each update that did, with the words for it."""
    found: dict[str, str] = {}
    for span in causal.spans:
        phrase = forked(span)
        if phrase is not None:
            tasks = (span, *causal.children_of(span.span_id))
            first = next((task for task in tasks if task.task_id is not None), span)
            found.setdefault(first.span_id, phrase)
    return found
