"""All rules in the order of trust, and the edges that they give."""

from __future__ import annotations

from itertools import chain

from otel_mas.causal.forest import Forest
from otel_mas.causal.inferred.calls import call_causes
from otel_mas.causal.inferred.langgraph import task_causes
from otel_mas.causal.inferred.probabilities import LIKELY
from otel_mas.causal.inferred.tasks import find_tasks
from otel_mas.causal.links import INFERRED, METADATA, Links, Possible


def infer_causes(forest: Forest, links: Links, *, complete: bool) -> None:
    """Add edges to the spans of another instrumentation that have no recorded cause. Linear in these spans.

    In a trace of ours nothing is looked at. Causes that are less likely than not are kept apart: `Links.possible`.

    Args:
        forest: the spans.
        links: what was recorded, to which edges are added.
        complete: whether no span is known to be missing.
    """
    foreign = forest.spans.foreign()
    if not foreign:
        return
    tasks = task_causes(forest, find_tasks(forest, links, foreign), complete=complete)
    for effect, found in chain(tasks, call_causes(forest, links, foreign)):
        for cause, kind, probability in found:
            if probability is None:
                links.add(cause, effect, kind, METADATA)
            elif probability >= LIKELY:
                links.add(cause, effect, kind, INFERRED, probability)
            else:
                links.possible.append(Possible(cause, effect, kind, probability))


__all__ = ["infer_causes"]
