"""Grafana Tempo as a source: traces by id as protobuf, TraceQL search, and what is filtered here again."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from otel_mas.errors import SourceError, UnsupportedQuery
from otel_mas.model import Content, Message, MessageRef, PartialList, Query, RunSummary, Tally, Trace, TraceSummary
from otel_mas.semconv import RunOutcome
from otel_mas.semconv import attributes as names
from otel_mas.sources.base import Capabilities
from otel_mas.sources.endpoint import Access, Endpoint, parse_endpoint
from otel_mas.sources.http_client import HttpClient, Reply
from otel_mas.sources.newest import (
    DAY,
    HOUR,
    MOST_LOOKED_AT,
    SECOND,
    Candidate,
    FewerTraces,
    NarrowerWindow,
    Page,
    Walk,
)
from otel_mas.sources.remote import FILTERS, checked, full_id, message_refs, no_content, no_runs, no_trace

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

PORT = 3200
LOOKBACK_NS = 14 * DAY
"""What Tempo keeps unless told otherwise."""

_PROTOBUF, _JSON = "application/protobuf", "application/json"
_PARTIAL = 1
_TOO_WIDE = re.compile(r"range specified by start and end exceeds (?:(\d+)h)?(?:(\d+)m)?")
_TOO_MANY = "exceeds max limit"
_LATE_NS = HOUR // 4
"""For so long Tempo searches what it has just received by its live store alone (`query_backend_after`)."""
_OVERLAP_NS = 84 * HOUR
_AT_ONCE = 8
_LONGEST = 2048
"""Bytes of an attribute's value that Tempo keeps: a longer one cannot be searched for."""
_LATE = (
    "traces that Tempo received long after they ran may be missing from its searches, for 15 minutes or where that was"
    " days later for good: each is found by its id"
)


class TempoSource:
    """Reads from the HTTP API of Tempo 2 or 3.

    Args:
        clock: now, in ns since the epoch.
    """

    capabilities = Capabilities(filters=FILTERS, conversations=True, lookback_ns=LOOKBACK_NS)

    def __init__(self, endpoint: Endpoint, access: Access, *, clock: Callable[[], int] = time.time_ns) -> None:
        self.location = endpoint.location
        self._clock = clock
        self._http = HttpClient(
            endpoint,
            access,
            what="Tempo",
            hint=f"Tempo's HTTP API listens on {PORT} unless told otherwise; is there a base path in front of it?",
        )

    def traces(self, query: Query) -> Sequence[TraceSummary]:
        checked(query, self.location)
        return self._listed(query)

    def trace(self, trace_id: str) -> Trace:
        from otel_mas.sources.traces import traces

        wanted = full_id(trace_id)
        messages, missing = self._read(wanted)
        for found in traces(messages):
            if found.trace_id == wanted:
                return replace(found, incomplete=_together(missing, found.incomplete))
        raise no_trace(wanted, self.location)

    def conversation(self, thread: str, service: str | None = None) -> PartialList[Trace]:
        listed = self._listed(Query(conversation_id=thread, service=service, limit=sys.maxsize))
        return PartialList([self.trace(summary.trace_id) for summary in reversed(listed)], listed.incomplete)

    def message_refs(self, trace_id: str) -> Sequence[MessageRef]:
        return message_refs(self.trace(trace_id))

    def messages(self, digests: Sequence[str]) -> Mapping[str, Message]:
        raise no_content(self.location)

    def contents(self, trace_id: str, span_id: str | None = None) -> Sequence[Content]:
        raise no_content(self.location)

    def run(self, run_id: str) -> RunSummary:
        raise no_runs(self.location)

    def close(self) -> None:
        """Nothing is kept open between requests."""

    def _listed(self, query: Query) -> PartialList[TraceSummary]:
        """The newest matching traces.

        Tempo finds a trace that came late only in a window that reaches to when it came, and for a quarter of an hour
        only among what it has just received, which it searches where no window is given.
        """

        def look(trace_id: str) -> TraceSummary | None:
            tally, missing = self._tally(trace_id)
            return tally.summary(_together(missing, tally.missing)) if tally.matches(query) and tally.spans else None

        now_ns = self._clock()
        floor_ns = now_ns - LOOKBACK_NS if query.since_ns is None else query.since_ns
        selecting = traceql(query)
        walk = Walk(
            lambda lo_ns, hi_ns, most: self._search(selecting, most, (lo_ns, hi_ns)),
            look,
            self.location,
            grain_ns=SECOND,
            overlap_ns=_OVERLAP_NS,
            most_at_once=MOST_LOOKED_AT + 1,
            looks_at_once=_AT_ONCE,
        )
        found = walk.newest(query.limit, floor_ns, now_ns, lambda: self._just_received(selecting))
        return PartialList(found, _LATE if floor_ns < now_ns - _LATE_NS else None)

    def _just_received(self, selecting: str) -> Sequence[Candidate]:
        most = MOST_LOOKED_AT + 1
        while True:
            try:
                return self._search(selecting, most).candidates
            except FewerTraces:
                if most <= 1:
                    raise
                most //= 2
            except SourceError:
                return ()  # what is in front of Tempo may want a window: this search finds only what windows do not

    def _search(self, selecting: str, most: int, window: tuple[int, int] | None = None) -> Page:
        asked = [("q", selecting), ("limit", str(most))]
        asked.append(("spss", "1"))  # only the ids are wanted, and by default three spans come with each
        # Zeros are no window. Where they are left out, Tempo 3 fills in a recent one.
        start, end = (0, 0) if window is None else (window[0] // SECOND, window[1] // SECOND + 1)
        asked += [("start", str(start)), ("end", str(end))]
        reply = self._http.get("/api/search", asked, accept=_JSON, answers=(200, 400))
        if reply.status == 400:
            raise self._told_apart(reply)
        found = self._parsed(reply).get("traces") or ()
        try:
            candidates = [
                # Tempo leaves out the zeros that an id begins with.
                Candidate(str(one["traceID"]).rjust(32, "0"), int(one.get("startTimeUnixNano") or 0))
                for one in found
            ]
        except (TypeError, KeyError, ValueError) as error:
            raise self._http.broken(f"{type(error).__name__}: {error}") from error
        return Page(candidates, len(candidates) < most)

    def _told_apart(self, reply: Reply) -> SourceError:
        """Return the error for a search that Tempo refused."""
        refusal = self._http.refusal(reply)
        if _TOO_MANY in reply.says:
            return FewerTraces(str(refusal))
        wide = _TOO_WIDE.search(reply.says)
        if wide is None:
            return refusal
        hours, minutes = (int(number or 0) for number in wide.groups())
        # The window is made of whole seconds around what is asked for.
        return NarrowerWindow(str(refusal), max(0, (60 * hours + minutes) * HOUR // 60 - 2 * SECOND))

    def _tally(self, trace_id: str) -> tuple[Tally, str | None]:
        from otel_mas.sources.traces import SpanReader

        tally = Tally(trace_id)
        messages, missing = self._read(trace_id)
        for span in SpanReader(bodies=False).read(messages):
            if span.trace_id == trace_id:
                tally.add(span)
        return tally, missing

    def _read(self, trace_id: str) -> tuple[Iterator[ResourceSpans], str | None]:
        """What there is of a trace, and what Tempo says is missing of it. Nothing where there is no such trace."""
        reply = self._http.get(f"/api/v2/traces/{trace_id}", accept=_PROTOBUF, answers=(200, 404))
        if reply.status == 200:
            return self._second_version(reply)
        # Before 2.7 there is only the first version of the API, in which 404 means that there is no such trace.
        reply = self._http.get(f"/api/traces/{trace_id}", accept=_PROTOBUF, answers=(200, 404))
        if reply.status == 200:
            return self._first_version(reply), None
        self._assert_tempo(reply)
        return iter(()), None

    def _second_version(self, reply: Reply) -> tuple[Iterator[ResourceSpans], str | None]:
        """A `TraceByIDResponse`: the trace, metrics, whether it is only a part, and why."""
        if _PROTOBUF not in reply.content_type:
            document = self._parsed(reply)
            partial = document.get("status") in (_PARTIAL, "PARTIAL")
            return self._from_json(document.get("trace") or {}), _missing(partial, str(document.get("message") or ""))
        from otel_mas.otlp.wire import values

        encoded, partial, message = b"", False, ""
        try:
            for field, value in values(reply.body):
                if field == 1 and isinstance(value, memoryview):
                    encoded = value.tobytes()
                elif field == 3:
                    partial = value == _PARTIAL
                elif field == 4 and isinstance(value, memoryview):
                    message = value.tobytes().decode("utf-8", "replace")
        except ValueError as error:
            raise self._http.broken(str(error)) from error
        return self._from_protobuf(encoded), _missing(partial, message)

    def _first_version(self, reply: Reply) -> Iterator[ResourceSpans]:
        if _PROTOBUF in reply.content_type:
            return self._from_protobuf(reply.body)
        return self._from_json(self._parsed(reply))

    def _from_protobuf(self, encoded: bytes) -> Iterator[ResourceSpans]:
        from otel_mas.sources.traces import traces_data

        try:
            yield from traces_data(encoded).resource_spans
        except ValueError as error:
            raise self._http.broken(str(error)) from error

    def _from_json(self, document: Any) -> Iterator[ResourceSpans]:
        from otel_mas.otlp.json import resource_spans

        try:
            yield from resource_spans(document)
        except ValueError as error:
            raise self._http.broken(str(error)) from error

    def _parsed(self, reply: Reply) -> dict[str, Any]:
        import orjson

        if reply.is_page:
            raise self._http.stranger(f"{reply.status}, a web page")
        try:
            document = orjson.loads(reply.body)
        except orjson.JSONDecodeError as error:
            if reply.body.lstrip().startswith(b"{"):
                raise self._http.broken(str(error)) from error
            raise self._http.stranger(f"{reply.status}, no JSON") from error
        if not isinstance(document, dict):
            raise self._http.stranger("JSON, but no object")
        return document

    def _assert_tempo(self, reply: Reply) -> None:
        """Tempo says 404 where it has no such trace, and so does every server that is no Tempo."""
        if self._http.get("/api/echo", accept="text/plain", answers=(200, 404)).body.strip() != b"echo":
            raise self._http.refusal(reply)


def traceql(query: Query) -> str:
    """The spans by which Tempo finds every trace that can match.

    One condition only, the one that selects most: Tempo keeps a trace in pieces while it grows, and a condition on two
    spans misses it where they lie in two of them. What is left is filtered here.
    """
    if _searchable(query.conversation_id):
        return f"{{ span.{names.GEN_AI_CONVERSATION_ID} = {_quoted(query.conversation_id)} }}"
    if _searchable(query.run_id):
        return f"{{ resource.{names.MAS_RUN_ID} = {_quoted(query.run_id)} }}"
    if _searchable(query.agent):
        return f"{{ span.{names.GEN_AI_AGENT_NAME} = {_quoted(query.agent)} }}"
    if query.status == "error":
        return "{ status = error }"
    if query.status == "interrupted":
        return f"{{ span.{names.MAS_RUN_OUTCOME} = {_quoted(RunOutcome.INTERRUPTED)} }}"
    if _searchable(query.service):
        return f"{{ resource.{names.SERVICE_NAME} = {_quoted(query.service)} }}"
    return "{ }"


def _searchable(value: str | None) -> bool:
    return value is not None and len(value.encode(errors="surrogatepass")) < _LONGEST


def _quoted(value: str | None) -> str:
    """The text as a literal. Raises UnsupportedQuery where TraceQL has none for it."""
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value or ""):
        raise UnsupportedQuery(f"Tempo cannot search for {value!r}: TraceQL has no NUL and no lone surrogates")
    escaped = (value or "").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _missing(partial: bool, message: str) -> str | None:
    if not partial:
        return None
    return f"Tempo gave only a part of it: {message}" if message else "Tempo gave only a part of it"


def _together(*reasons: str | None) -> str | None:
    return "; ".join(reason for reason in reasons if reason) or None


class TempoHttp:
    """`tempo+http://host:3200/base/path`."""

    scheme: ClassVar[str] = "tempo+http"
    reads: ClassVar[str] = "Grafana Tempo (its HTTP port, 3200)"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return False

    @classmethod
    def open(cls, target: str) -> TempoSource:
        return TempoSource(parse_endpoint(cls.scheme, target, PORT), Access.from_settings())


class TempoHttps(TempoHttp):
    """`tempo+https://host/base/path`."""

    scheme = "tempo+https"
    reads = "Grafana Tempo, over TLS"
