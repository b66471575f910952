"""The part that sources of ended spans share: they keep nothing beside spans, and refuse what they cannot know."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields

from otel_mas.errors import TraceNotFound, UnsupportedQuery
from otel_mas.model import ENDED, Content, Message, MessageRef, Query, RunSummary, Trace
from otel_mas.model.status import RUNNING, STOPPED
from otel_mas.semconv import attributes as names

FILTERS = frozenset(field.name for field in fields(Query)) - {"limit"}
"""All of them."""
_MESSAGE_ATTRIBUTES = (("input", names.MAS_INPUT_MESSAGES), ("output", names.MAS_OUTPUT_MESSAGES))


class SpansOnlySource(ABC):
    """Base of sources that have traces, and neither content nor runs."""

    location: str

    @abstractmethod
    def trace(self, trace_id: str) -> Trace: ...

    def message_refs(self, trace_id: str) -> Sequence[MessageRef]:
        """Which span consumed or produced which message, by the digests that the spans themselves carry."""
        return [
            MessageRef(trace_id, span.span_id, direction, position, digest)
            for span in self.trace(trace_id).spans
            for direction, name in _MESSAGE_ATTRIBUTES
            for position, digest in enumerate(span.attributes.get(name) or ())
        ]

    def messages(self, digests: Sequence[str]) -> Mapping[str, Message]:
        raise self.no_content()

    def contents(self, trace_id: str, span_id: str | None = None) -> Sequence[Content]:
        raise self.no_content()

    def run(self, run_id: str) -> RunSummary:
        raise UnsupportedQuery(f"{self.location} does not know runs as a whole: ask for traces, also by run")

    def close(self) -> None:  # noqa: B027 - most hold nothing open
        pass

    def check(self, query: Query) -> None:
        """Raise UnsupportedQuery for a status that ended spans do not tell."""
        if query.status in (RUNNING, STOPPED):
            raise UnsupportedQuery(
                f"{self.location} keeps spans that have ended: what is {query.status}, only a local store knows"
            )
        if query.status is not None and query.status not in ENDED:
            raise UnsupportedQuery(f"no trace has status {query.status!r}: ask for one of {', '.join(ENDED)}")

    def no_trace(self, trace_id: str) -> TraceNotFound:
        return TraceNotFound(f"no trace {trace_id} in {self.location}: was it sent there, and is it still kept?")

    def no_content(self) -> UnsupportedQuery:
        return UnsupportedQuery(
            f"{self.location} keeps no messages and no content beside spans: ask the store that recorded them"
        )


def full_id(trace_id: str) -> str:
    """The id in lower case. Raises TraceNotFound where it is not one in full."""
    wanted = trace_id.strip().lower()
    if len(wanted) != 32 or wanted.strip("0123456789abcdef"):
        raise TraceNotFound(f"{trace_id!r} is no trace id: give all 32 hex digits")
    return wanted
