"""Tempo's HTTP API: search by TraceQL, and traces by id as protobuf or JSON, of every version since 2."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from otel_mas.errors import SourceError
from otel_mas.sources.endpoint import Access, Endpoint
from otel_mas.sources.http_client import HttpClient, Reply
from otel_mas.sources.newest import HOUR, SECOND, Candidate, FewerTraces, NarrowerWindow, Page

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

PORT = 3200

_PROTOBUF, _JSON = "application/protobuf", "application/json"
_PARTIAL = 1
_TOO_WIDE = re.compile(r"range specified by start and end exceeds (?:(\d+)h)?(?:(\d+)m)?")
_TOO_MANY = "exceeds max limit"


class TempoClient:
    """One Tempo."""

    def __init__(self, endpoint: Endpoint, access: Access) -> None:
        self.location = endpoint.location
        self._http = HttpClient(
            endpoint,
            access,
            product="Tempo",
            hint=f"Tempo's HTTP API listens on {PORT} unless told otherwise; is there a base path in front of it?",
        )

    def search(self, traceql: str, limit: int, window: tuple[int, int] | None = None) -> Page:
        """Candidates of a window (ns), or of what has just been received where none is given."""
        parameters = [("q", traceql), ("limit", str(limit))]
        parameters.append(("spss", "1"))  # only the ids are wanted, and by default three spans come with each
        # Zeros are no window. Where they are left out, Tempo 3 fills in a recent one.
        start, end = (0, 0) if window is None else (window[0] // SECOND, window[1] // SECOND + 1)
        parameters += [("start", str(start)), ("end", str(end))]
        reply = self._http.get("/api/search", parameters, accept=_JSON, statuses=(200, 400))
        if reply.status == 400:
            raise self._search_error(reply)
        traces = self._http.document(reply).get("traces") or ()
        try:
            candidates = [
                # Tempo leaves out the zeros that an id begins with.
                Candidate(str(one["traceID"]).rjust(32, "0"), int(one.get("startTimeUnixNano") or 0))
                for one in traces
            ]
        except (TypeError, KeyError, ValueError) as error:
            raise self._http.truncated(f"{type(error).__name__}: {error}") from error
        return Page(candidates, len(candidates) < limit)

    def _search_error(self, reply: Reply) -> SourceError:
        """The error for a search that Tempo refused."""
        error = self._http.status_error(reply)
        if _TOO_MANY in reply.message:
            return FewerTraces(str(error))
        wide = _TOO_WIDE.search(reply.message)
        if wide is None:
            return error
        hours, minutes = (int(number or 0) for number in wide.groups())
        # The window is made of whole seconds around what is asked for.
        return NarrowerWindow(str(error), max(0, (60 * hours + minutes) * HOUR // 60 - 2 * SECOND))

    def trace(self, trace_id: str) -> tuple[Iterator[ResourceSpans], str | None]:
        """The spans of a trace, and why they are only a part; none where there is no such trace."""
        reply = self._http.get(f"/api/v2/traces/{trace_id}", accept=_PROTOBUF, statuses=(200, 404))
        if reply.status == 200:
            return self._second_version(reply)
        # Before 2.7 there is only the first version of the API, in which 404 means that there is no such trace.
        reply = self._http.get(f"/api/traces/{trace_id}", accept=_PROTOBUF, statuses=(200, 404))
        if reply.status == 200:
            return self._first_version(reply), None
        self._assert_tempo(reply)
        return iter(()), None

    def _second_version(self, reply: Reply) -> tuple[Iterator[ResourceSpans], str | None]:
        """A `TraceByIDResponse`: the trace, metrics, whether it is only a part, and why."""
        if _PROTOBUF not in reply.content_type:
            document = self._http.document(reply)
            partial = document.get("status") in (_PARTIAL, "PARTIAL")
            return self._from_json(document.get("trace") or {}), _incomplete(
                partial, str(document.get("message") or "")
            )
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
            raise self._http.truncated(str(error)) from error
        return self._from_protobuf(encoded), _incomplete(partial, message)

    def _first_version(self, reply: Reply) -> Iterator[ResourceSpans]:
        if _PROTOBUF in reply.content_type:
            return self._from_protobuf(reply.body)
        return self._from_json(self._http.document(reply))

    def _from_protobuf(self, encoded: bytes) -> Iterator[ResourceSpans]:
        from otel_mas.sources.traces import traces_data

        try:
            yield from traces_data(encoded).resource_spans
        except ValueError as error:
            raise self._http.truncated(str(error)) from error

    def _from_json(self, document: Any) -> Iterator[ResourceSpans]:
        from otel_mas.otlp.json import resource_spans

        try:
            yield from resource_spans(document)
        except ValueError as error:
            raise self._http.truncated(str(error)) from error

    def _assert_tempo(self, reply: Reply) -> None:
        """Tempo answers 404 where it has no such trace, as do servers that are no Tempo."""
        if self._http.get("/api/echo", accept="text/plain", statuses=(200, 404)).body.strip() != b"echo":
            raise self._http.status_error(reply)


def _incomplete(partial: bool, message: str) -> str | None:
    if not partial:
        return None
    return f"Tempo gave only a part of it: {message}" if message else "Tempo gave only a part of it"
