"""Messages that went through a queue: which span received what from which, and whether anything waited for that."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from otel_mas.causal.forest import ROOT, Forest
from otel_mas.causal.links import Links
from otel_mas.model import SpanKind
from otel_mas.semconv import LinkKind

_MESSAGE: Final = LinkKind.MESSAGE.value
_QUEUED: Final = (SpanKind.PRODUCER, SpanKind.CONSUMER)
_MOST_HOPS: Final = 32

Deliveries = dict[int, list[int]]
"""By a span that received: the spans that sent."""


def deliveries(forest: Forest, links: Links) -> Deliveries:
    """Consumer spans with a `message` link, and the producer spans that it leads to."""
    found: Deliveries = defaultdict(list)
    if _MESSAGE in links.kind:
        kinds = forest.spans.kinds
        for cause, effect, kind in zip(links.cause, links.effect, links.kind, strict=True):
            if kind == _MESSAGE and cause >= 0 and (kinds[cause], kinds[effect]) == _QUEUED:
                found[effect].append(cause)
    return dict(found)


def apart(forest: Forest, parent: array[int], found: Deliveries) -> array[int]:
    """Parents by which a consumer is not inside its producer, which does not wait for it.

    It is a root; or, where it took the answer to what its own process had sent, inside the span that asked, if that was
    still open. A child that began when the consumer span had ended, as after a poll, is beside that.
    """
    if not found:
        return parent
    inside = [received for received in found if parent[received] in found[received]]
    after = [span for span, above in enumerate(parent) if above in found and forest.start[span] >= forest.end[above]]
    if not inside and not after:
        return parent
    moved, processes = parent[:], forest.spans.processes()
    for received in inside:
        asked = _asked(forest, received, processes)
        above = ROOT if asked == ROOT else parent[asked]
        moved[received] = above if above != ROOT and forest.start[received] <= forest.end[above] else ROOT
    for span in after:
        if moved[span] == parent[span]:
            moved[span] = moved[parent[span]]
    return moved


def _asked(forest: Forest, received: int, processes: Sequence[object]) -> int:
    """The producer span of the same process that led, by way of another process, to this message; ROOT if none did."""
    process, kinds = processes[received], forest.spans.kinds
    span, abroad, hops = forest.parent[received], False, 0
    while span != ROOT and process is not None and hops < _MOST_HOPS:
        if processes[span] != process:
            abroad = True
        elif abroad and kinds[span] == SpanKind.PRODUCER:
            return span
        hops += kinds[span] == SpanKind.CONSUMER
        span = forest.parent[span]
    return ROOT


__all__ = ["Deliveries", "apart", "deliveries"]
