"""Events of the live stream, as server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple, TypedDict

from otel_mas.model import Changes, Span, StatusCode
from otel_mas.model.frame import finite, whole
from otel_mas.report.text import plain
from otel_mas.semconv import attributes as names
from otel_mas.server.api.responses import encoded

_MOST_LANES = 50_000


class StreamEdgeForm(TypedDict):
    cause: Annotated[str, "span id of the cause"]
    kind: Annotated[str | None, "`mas.link.kind`; null on links of other code"]


class StreamSpanForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "16 hex digits"]
    parent: Annotated[str | None, "span id of the span around it; null on roots"]
    name: Annotated[str, "the span's name"]
    kind: Annotated[str | None, "`mas.record.kind`"]
    label: Annotated[str, "a task's name, else the span's"]
    lane: Annotated[str | None, "name of its lane; null of what encloses all lanes, or where that is not known yet"]
    agent: Annotated[str | None, "the agent that it is, or works for"]
    service: Annotated[str, "`service.name`"]
    model: Annotated[str | None, "the model that answered, or else the one asked"]
    tool: Annotated[str | None, "the tool that was called"]
    task: Annotated[int, "1 where it is a task or an agent's work"]
    start_ns: Annotated[str, "nanoseconds since the Unix epoch, as digits"]
    end_ns: Annotated[str | None, "the same; null at a start"]
    status: Annotated[int, "0 unset, 1 ok, 2 error"]
    error: Annotated[int, "1 where an error happened in it, and did not only pass through"]
    input_tokens: Annotated[int | None, "tokens that a model read"]
    output_tokens: Annotated[int | None, "tokens that a model wrote"]
    cost_usd: Annotated[float | None, "USD; null where no price is known"]
    edges: Annotated[list[StreamEdgeForm], "its causes other than its parent"]


class Event(NamedTuple):
    """An event as bytes, and the trace that it is about; None: all clients get it."""

    trace_id: str | None
    data: bytes


def frame(name: str, document: Any, cursor: str | None = None) -> bytes:
    """An event as it is sent. `cursor` is the position to go on from after it."""
    number = f"id: {cursor}\n" if cursor else ""
    return f"{number}event: {name}\ndata: ".encode() + encoded(document) + b"\n\n"


class SpanEvents:
    """Makes events of spans; remembers the lanes of those that may enclose later ones."""

    def __init__(self) -> None:
        self._lanes: OrderedDict[str, str | None] = OrderedDict()

    def of(self, changes: Changes, before: str) -> Iterator[Event]:
        """Events of spans that began and ended. Only the last one moves the position: a batch is had whole or again.

        Args:
            before: the position before these.
        """
        events = [(span, "span.start") for span in changes.opened]
        events += [(span, "span.end") for span in changes.ended]
        for number, (span, name) in enumerate(events, start=1):
            cursor = changes.cursor if number == len(events) else before
            yield Event(span.trace_id, frame(name, self._span(span), cursor))

    def _span(self, span: Span) -> StreamSpanForm:
        columns = span.columns
        return {
            "trace_id": span.trace_id,
            "span_id": span.span_id,
            "parent": span.parent_span_id or None,
            "name": plain(span.name),
            "kind": span.record_kind,
            "label": plain(span.task_name or span.name),
            "lane": self._lane(span),
            "agent": span.agent,
            "service": span.service,
            "model": columns.get(names.GEN_AI_RESPONSE_MODEL) or columns.get(names.GEN_AI_REQUEST_MODEL),
            "tool": columns.get(names.GEN_AI_TOOL_NAME),
            "task": int(_is_task(span)),
            "start_ns": str(span.start_ns),
            "end_ns": None if span.end_ns is None else str(span.end_ns),
            "status": int(span.status),
            "error": int(_is_origin(span, columns)),
            "input_tokens": whole(columns.get(names.GEN_AI_USAGE_INPUT_TOKENS)),
            "output_tokens": whole(columns.get(names.GEN_AI_USAGE_OUTPUT_TOKENS)),
            "cost_usd": finite(columns.get(names.MAS_COST_USD)),
            "edges": [{"cause": link.span_id, "kind": link.kind} for link in span.links],
        }

    def _lane(self, span: Span) -> str | None:
        """As `report.swimlanes`, as far as the spans around it have come."""
        lane = self._lanes.get(span.parent_span_id or "")
        if span.is_agent:
            lane = plain(span.agent)
        elif lane is None and _is_task(span):
            lane = plain(span.task_name or span.name)
        self._lanes[span.span_id] = lane
        self._lanes.move_to_end(span.span_id)
        while len(self._lanes) > _MOST_LANES:
            self._lanes.popitem(last=False)
        return lane


def _is_task(span: Span) -> bool:
    return span.task_id is not None or span.is_agent


def _is_origin(span: Span, columns: Mapping[str, Any]) -> bool:
    return span.status is StatusCode.ERROR and not columns.get(names.MAS_ERROR_SPAN)


__all__ = ["Event", "SpanEvents", "StreamSpanForm", "frame"]
