"""Messages that a span received, by their ids: several, where it is of a batch."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.findings.facts import RunFacts
from otel_mas.model import Span
from otel_mas.semconv import LinkKind
from otel_mas.semconv import attributes as names


def received_ids(facts: RunFacts, receipt: Span) -> Sequence[str]:
    """The ids of the messages: its own; of a batch, which has none, those of the SENDs that it is linked to."""
    identity = receipt.get(names.MAS_MESSAGE_ID)
    if identity:
        return (str(identity),)
    spans = facts.scopes.spans
    sent = [edge.cause for edge in facts.graph.causes_of(receipt.span_id) if edge.kind == LinkKind.MESSAGE]
    return [str(found) for one in sent if one in spans and (found := spans[one].get(names.MAS_MESSAGE_ID))]


__all__ = ["received_ids"]
