"""Tempo's search as it is by its own code: blocks by the times of ingestion, traces by their own, a live store."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_mas.sources.newest import HOUR, SECOND
from tests.conformance.messages import export, process, span
from tests.unit.sources.answering import Answer, Asked

MINUTE = 60 * SECOND
NOW_NS = 1_795_257_264 * SECOND
_SLACK = 2 * MINUTE
_LIVE_ALONE = 15 * MINUTE
_LIVE_FOR = 5 * MINUTE


@dataclass(frozen=True)
class Held:
    """A trace of one span: when it ran, and when Tempo got it, in ns before now."""

    number: int
    age_ns: int
    received_ago_ns: int
    parent: int | None = None

    @property
    def id(self) -> str:
        return f"{self.number:032x}"

    @property
    def start_ns(self) -> int:
        return NOW_NS - self.age_ns

    @property
    def data(self) -> TracesData:
        one = span(1, self.number, "run", 0, 0, parent=self.parent)
        one.trace_id = bytes.fromhex(self.id)
        one.start_time_unix_nano, one.end_time_unix_nano = self.start_ns, self.start_ns + SECOND
        return export(process({"service.name": "app"}, [one]))

    def ran_within(self, lo_ns: int, hi_ns: int) -> bool:
        return self.start_ns <= hi_ns and self.start_ns + SECOND >= lo_ns

    def found(self, window: tuple[int, int] | None) -> bool:
        received = NOW_NS - self.received_ago_ns
        begin = max(self.start_ns, received - _SLACK)
        end = min(self.start_ns + SECOND, received + _SLACK)
        live = end > NOW_NS - 20 * MINUTE or self.received_ago_ns < _LIVE_FOR
        if window is None:
            return live
        lo, hi = window
        until = NOW_NS - _LIVE_ALONE
        if live and hi > until and begin <= hi and end >= max(lo, until) and self.ran_within(max(lo, until), hi):
            return True
        return lo < until and begin <= min(hi, until) and end >= lo and self.ran_within(lo, hi)


@dataclass
class FakeTempo:
    """Takes windows and limits as large as it is told, like `max_search_duration` and `max_result_limit`."""

    held: list[Held]
    widest_ns: int = 168 * HOUR
    most: int = 262_144
    searches: list[tuple[int, int] | None] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/api/search":
            return self._search(asked.query)
        for one in self.held:
            if asked.path == f"/api/v2/traces/{one.id}":
                encoded = one.data.SerializeToString()
                length = bytes([len(encoded) & 0x7F | 0x80, len(encoded) >> 7])
                return Answer(200, b"\x0a" + length + encoded, "application/protobuf")
        return Answer(200, b"", "application/protobuf")

    def _search(self, query: dict[str, str]) -> Answer:
        limit, window = int(query["limit"]), None
        if limit > self.most:
            return Answer(400, f"limit {limit} exceeds max limit {self.most}".encode(), "text/plain")
        if query["end"] != "0":
            window = int(query["start"]) * SECOND, int(query["end"]) * SECOND
            if window[1] - window[0] > self.widest_ns:
                hours = self.widest_ns // HOUR
                refusal = f"range specified by start and end exceeds {hours}h0m0s. received start=1 end=2"
                return Answer(400, refusal.encode(), "text/plain")
        self.searches.append(window)
        found = [one for one in self.held if one.found(window)][:limit]
        traces = [{"traceID": one.id.lstrip("0"), "startTimeUnixNano": str(one.start_ns)} for one in found]
        return Answer(200, json.dumps({"traces": traces}).encode())
