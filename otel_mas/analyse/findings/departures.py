"""Departures of what was read from what had been written, which detectors and root causes see alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.analyse.findings.task_flow import TaskFlow
from otel_mas.analyse.labelled import ValueKind
from otel_mas.analyse.root_cause.acts import Acts
from otel_mas.analyse.root_cause.arrivals import Arrival, Departure, arrivals
from otel_mas.model import Span
from otel_mas.semconv import RecordKind

_MOST_SPANS = 5_000
"""Spans of a run that is looked at, so that findings of longer ones do not take seconds more."""


def departures(facts: RunFacts, *kinds: Departure) -> Sequence[Arrival]:
    """Arrivals of these kinds, in the order in which they were read.

    Of a task that ran several times, each time with values of its own, other values are none.
    """
    return [one for one in facts.once(_departures) if one.departure in kinds]


def unread(facts: RunFacts) -> Sequence[Arrival]:
    """Readings of nothing that the causes wrote, where the prompt is empty or has a name without a value.

    A prompt that is complete without it may need nothing of that.
    """
    return facts.once(_unread)


def _unread(facts: RunFacts) -> Sequence[Arrival]:
    return [one for one in departures(facts, Departure.UNREAD) if _has_gaps(facts, one.task.span)]


def _has_gaps(facts: RunFacts, task: Span) -> bool:
    flow = facts.once(TaskFlow)
    texts = {digest: facts.text(digest) for digest in flow.prompts(task)}
    return None not in texts.values() and any(
        not text or text.isspace() or any(one.kind is ValueKind.UNKNOWN for one in flow.labelled(digest))
        for digest, text in texts.items()
    )


def direct_causes(facts: RunFacts, task: Span) -> Collection[Span]:
    """The tasks that a task follows from directly."""
    found = {edge.cause: facts.graph.span(edge.cause) for edge in facts.graph.causes_of(task.span_id)}
    return [one for one in found.values() if facts.task(one) is one and one.span_id != task.parent_span_id]


def _departures(facts: RunFacts) -> Sequence[Arrival]:
    if not facts.content.kept or len(facts.spans) > _MOST_SPANS or len(facts.tasks) < 2:
        return ()
    acts = Acts(facts.graph, facts.content)
    changed = (Departure.CHANGED, Departure.NONE_READ)
    return [
        one
        for one in arrivals(acts)
        if (one.departure != Departure.UNREAD or one.reader.span.record_kind != RecordKind.AGENT_TASK)
        and (one.departure not in changed or acts.is_only(one.task))
    ]


__all__ = ["departures", "direct_causes", "unread"]
