"""The part that sources of ended spans share: content is what spans carry, and what they cannot know is refused."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from itertools import chain
from weakref import ref

from otel_mas.errors import TraceNotFound, UnsupportedQuery
from otel_mas.model import ENDED, Content, Message, MessageRef, PartialList, Query, RunSummary, Trace, TraceSummary
from otel_mas.model.search import Match, TextSearch
from otel_mas.model.status import RUNNING, STOPPED
from otel_mas.otlp.span_content import TraceContent

FILTERS = frozenset(field.name for field in fields(Query)) - {"limit"}
"""All of them."""


class GivenTraces:
    """Content of the traces that somebody has been given and still holds; each is let go together with its trace."""

    def __init__(self) -> None:
        self._traces: dict[str, ref[Trace]] = {}
        self._contents: dict[str, TraceContent] = {}

    def add(self, trace: Trace) -> Trace:
        """Note that somebody gets this trace, and may ask for its content next."""
        trace_id = trace.trace_id
        known = self._traces.get(trace_id)
        if known is None or known() is not trace:
            self._contents.pop(trace_id, None)
            self._traces[trace_id] = ref(trace, partial(self._let_go, trace_id))
        return trace

    def content(self, trace_id: str) -> TraceContent | None:
        """Content of the trace as it was given last; None where nobody holds it."""
        known = self._traces.get(trace_id)
        trace = None if known is None else known()
        if trace is None:
            return None
        if trace_id not in self._contents:
            self._contents[trace_id] = TraceContent.of(trace.spans)
        return self._contents[trace_id]

    def _let_go(self, trace_id: str, gone: ref[Trace]) -> None:
        if self._traces.get(trace_id) is gone:
            del self._traces[trace_id]
            self._contents.pop(trace_id, None)


class SpansOnlySource(ABC):
    """Base of sources that have spans, and of content only what these carry.

    Content of a trace is read from its spans once, for as long as somebody holds the trace. So its bodies are decoded
    once, too.
    """

    def __init__(self, location: str) -> None:
        self.location = location
        self.given = GivenTraces()

    @abstractmethod
    def traces(self, query: Query) -> Sequence[TraceSummary]: ...

    @abstractmethod
    def trace(self, trace_id: str) -> Trace: ...

    def message_refs(self, trace_id: str) -> Sequence[MessageRef]:
        """Which span consumed or produced which message, by digests on the spans, else of the messages on them."""
        return self._content(trace_id).refs

    def messages(self, digests: Sequence[str], trace_id: str | None = None) -> Mapping[str, Message]:
        """Messages that the spans of a trace carry, by digest. Raises UnsupportedQuery where no trace is named."""
        if trace_id is None:
            raise UnsupportedQuery(f"{self.location} finds messages by their trace only: give its id")
        carried = self._content(trace_id).messages
        return {digest: carried[digest] for digest in digests if digest in carried}

    def contents(self, trace_id: str, span_id: str | None = None) -> Sequence[Content]:
        """Content that the spans of a trace carry, or one of them; empty where the app did not let content leave."""
        by_span = self._content(trace_id).contents
        return list(chain.from_iterable(by_span.values())) if span_id is None else by_span.get(span_id, [])

    def _content(self, trace_id: str) -> TraceContent:
        wanted = full_id(trace_id)
        found = self.given.content(wanted)
        return TraceContent.of(self.trace(wanted).spans) if found is None else found

    def search(self, text: str, query: Query, limit: int) -> PartialList[Match]:
        """Matches in the newest traces that the query selects, each of which is read for it."""
        wanted = TextSearch(text)
        listed = self.traces(query)
        found: list[Match] = []
        for trace in self.read_each([one.trace_id for one in listed]):
            found += sorted(TraceContent.of(trace.spans).search(wanted), key=lambda match: match.at_ns)
            if len(found) >= limit:
                break
        reasons = [listed.incomplete if isinstance(listed, PartialList) else None]
        if len(listed) == query.limit:
            reasons.append(f"looked in the newest {query.limit} traces only: there may be older ones")
        return PartialList(found[:limit], "; ".join(reason for reason in reasons if reason) or None)

    def read_each(self, trace_ids: Sequence[str]) -> Iterator[Trace]:
        """These traces, one after the other."""
        return map(self.trace, trace_ids)

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


def full_id(trace_id: str) -> str:
    """The id in lower case. Raises TraceNotFound where it is not one in full."""
    wanted = trace_id.strip().lower()
    if len(wanted) != 32 or wanted.strip("0123456789abcdef"):
        raise TraceNotFound(f"{trace_id!r} is no trace id: give all 32 hex digits")
    return wanted
