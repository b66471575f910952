"""What sources on servers have in common: they keep ended spans, and nothing beside them."""

from __future__ import annotations

from otel_mas.errors import TraceNotFound, UnsupportedQuery
from otel_mas.model import ENDED, MessageRef, Query, Trace
from otel_mas.model.status import RUNNING, STOPPED
from otel_mas.semconv import attributes as names

FILTERS = frozenset({"service", "agent", "status", "conversation_id", "run_id", "min_duration_ns", "since_ns"})
_SIDES = (("input", names.MAS_INPUT_MESSAGES), ("output", names.MAS_OUTPUT_MESSAGES))


def checked(query: Query, location: str) -> None:
    """Raise UnsupportedQuery for what a server of ended spans cannot know."""
    if query.status in (RUNNING, STOPPED):
        raise UnsupportedQuery(
            f"{location} keeps spans that have ended: what is {query.status}, only a local store knows"
        )
    if query.status is not None and query.status not in ENDED:
        raise UnsupportedQuery(f"no trace has status {query.status!r}: ask for one of {', '.join(ENDED)}")


def full_id(trace_id: str) -> str:
    """The id in lower case. Raises TraceNotFound where it is not one in full."""
    wanted = trace_id.strip().lower()
    if len(wanted) != 32 or wanted.strip("0123456789abcdef"):
        raise TraceNotFound(f"{trace_id!r} is no trace id: give all 32 hex digits")
    return wanted


def no_trace(trace_id: str, location: str) -> TraceNotFound:
    return TraceNotFound(f"no trace {trace_id} in {location}: was it sent there, and is it still kept?")


def message_refs(trace: Trace) -> list[MessageRef]:
    """Which span consumed or produced which message, by the digests that the spans themselves carry."""
    return [
        MessageRef(trace.trace_id, span.span_id, direction, position, digest)
        for span in trace.spans
        for direction, name in _SIDES
        for position, digest in enumerate(span.attributes.get(name) or ())
    ]


def no_content(location: str) -> UnsupportedQuery:
    return UnsupportedQuery(
        f"{location} keeps no messages and no content beside spans: ask the store that recorded them"
    )


def no_runs(location: str) -> UnsupportedQuery:
    return UnsupportedQuery(f"{location} does not know runs as a whole: ask for traces, also by run")
