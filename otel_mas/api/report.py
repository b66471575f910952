"""A trace or a conversation as a report: everything that it needs, fetched from the source."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING

from otel_mas import __version__
from otel_mas.model import Message
from otel_mas.report.html.page import Material, page
from otel_mas.report.messages import refs_of

if TYPE_CHECKING:
    from otel_mas.api.trace import Run, Trace


def report(found: Run) -> str:
    """One HTML page; messages only where the source keeps them."""
    graph, traces = found.graph(), found._parts()
    kept = [trace for trace in traces if trace._port.capabilities.content]
    refs = list(chain.from_iterable(trace._refs if trace in kept else refs_of(trace.spans) for trace in traces))
    material = Material(
        causal=graph.causal,
        path=graph.critical_path(),
        cost=graph.cost(),
        problems=found.problems,
        refs=refs,
        messages=_messages(kept) if kept else None,
        contents=[content for trace in kept for content in trace._port.contents(trace.trace_id)],
        reasons=found.reasons(),
    )
    return page(material, f"otel-mas {__version__}")


def _messages(traces: list[Trace]) -> Mapping[str, Message]:
    found: dict[str, Message] = {}
    for trace in traces:
        digests = dict.fromkeys(ref.digest for ref in trace._refs)
        found.update(trace._port.messages([digest for digest in digests if digest not in found]))
    return found
