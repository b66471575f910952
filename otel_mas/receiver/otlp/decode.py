"""A request's bytes → rows for the store, within bounds on what a small request may become."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

import orjson

from otel_mas.config import Settings
from otel_mas.otlp.nesting import holds_more_than
from otel_mas.otlp.split import ResourcePart, TooManyItems, split_request
from otel_mas.otlp.wire import delimited
from otel_mas.receiver.otlp.inflate import inflate
from otel_mas.receiver.otlp.log_rows import LogRows
from otel_mas.receiver.otlp.outcome import Outcome, Reason, Refused
from otel_mas.store.imported import ImportedPrivacy
from otel_mas.store.otlp_rows import OtlpRows, RunWriter, RunWriters
from otel_mas.store.rows import Batch

MAX_ITEMS: Final = 100_000
"""Spans, or log records, of one request, with its scopes and resources."""
_MAX_VALUES: Final = 200_000
"""Attributes and nested values of one span or record."""
_REPEATED: Final = b"\x0a"  # the tag of each resource in a request
_MAX_ORIGINS: Final = 4096
"""Resources and scopes of one request."""
_MAX_ORIGIN_BYTES: Final = 1 << 18
"""Size of a resource or a scope."""
_SMALL_BYTES: Final = 1 << 16  # of a message that cannot hold enough values to matter


class Signal(Enum):
    """Subject of a request."""

    TRACES = "traces"
    LOGS = "logs"


@dataclass(slots=True)
class Decoded:
    """The rows of a request, by who writes them."""

    outcome: Outcome
    size: int
    """Bytes of the request, decompressed."""
    batches: dict[RunWriter, Batch] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(len(batch.spans) + len(batch.contents) for batch in self.batches.values())


class Decoder:
    """Decodes requests, for one thread.

    Args:
        settings: bounds, and whether these spans may leave the machine.
        runs: the store's writers.
        reading: a connection to the store.
        privacy: the treatment of what comes; None stores it as it is.
    """

    def __init__(
        self, settings: Settings, runs: RunWriters, reading: sqlite3.Connection, privacy: ImportedPrivacy | None
    ) -> None:
        self._most_bytes = settings.receive_request_bytes
        self._runs = runs
        self._privacy = privacy
        self._spans = OtlpRows(runs, reading, privacy=privacy, may_ship=settings.receive_may_ship)
        self._logs = LogRows(privacy)

    def decode(self, signal: Signal, body: bytes, encoding: str, *, is_json: bool) -> Decoded:
        """The rows of a request.

        Raises:
            Refused: it is no OTLP request, or too large.
            StoreError: a resource or a scope of it cannot be written.
        """
        request = inflate(body, encoding, self._most_bytes)
        outcome = Outcome()
        try:
            if is_json:
                request = _message(signal, request, outcome)
            parts = split_request(request, MAX_ITEMS)
            if sum(1 + len(part.scopes) for part in parts) > _MAX_ORIGINS:
                raise TooManyItems
            decoded = Decoded(outcome, len(request))
            for part in parts:
                _check_values(signal, part)
                self._add(signal, part, decoded)
        except TooManyItems:
            bounds = f"{MAX_ITEMS:,} spans or records, or {_MAX_ORIGINS:,} resources and scopes"
            raise Refused(Reason.TOO_LARGE, f"the request has more than {bounds}: send fewer at a time") from None
        except ValueError as error:
            raise Refused(Reason.MALFORMED, f"the request is not OTLP: {error}") from None
        if self._privacy is not None:
            self._count_redacted(decoded, self._privacy.drain_counts())
        return decoded

    def _add(self, signal: Signal, part: ResourcePart, decoded: Decoded) -> None:
        outcome = decoded.outcome
        if signal is Signal.LOGS:
            rows = self._logs.add(part, outcome)
            if rows:
                batch = decoded.batches.setdefault(self._runs.of(None), Batch(contents_may_repeat=True))
                batch.contents += rows
            return
        without_ids, recorded = self._spans.without_ids, self._spans.recorded
        run, spans = self._spans.add(part)
        number = self._spans.without_ids - without_ids
        outcome.reject(number, f"{number} spans without a trace id of 16 bytes and a span id of 8")
        outcome.accepted += len(spans) + self._spans.recorded - recorded
        if spans:
            decoded.batches.setdefault(run, Batch(contents_may_repeat=True)).spans += spans

    def _count_redacted(self, decoded: Decoded, counts: dict[str, int]) -> None:
        if counts:
            batch = decoded.batches.setdefault(self._runs.of(None), Batch(contents_may_repeat=True))
            batch.add_redacted(counts)


def _message(signal: Signal, request: bytes, outcome: Outcome) -> bytes:
    """An OTLP/JSON request as protobuf. Raises ValueError where it is none."""
    from otel_mas.otlp.json import resource_logs, resource_spans

    if not request.strip():
        return b""
    document: Any = orjson.loads(request)
    problems: list[str] = []
    read = resource_spans if signal is Signal.TRACES else resource_logs
    parts = [delimited(_REPEATED, message.SerializeToString()) for message in read(document, problems)]
    outcome.reject(len(problems), "; ".join(problems[:3]))
    return b"".join(parts)


def _check_values(signal: Signal, part: ResourcePart) -> None:
    """Raise Refused for a message that would become very many objects."""
    item = "Span" if signal is Signal.TRACES else "LogRecord"
    origins = [part.resource, *(of_scope.scope for of_scope in part.scopes)]
    if len(max(origins, key=len)) > _MAX_ORIGIN_BYTES:
        raise Refused(Reason.TOO_LARGE, f"a resource or scope is larger than {_MAX_ORIGIN_BYTES:,} bytes")
    messages = [("Resource", part.resource), *(("InstrumentationScope", one) for one in origins[1:])]
    messages += [(item, one) for of_scope in part.scopes for one in of_scope.items]
    for name, encoded in messages:
        if len(encoded) > _SMALL_BYTES and holds_more_than(_MAX_VALUES, encoded, name):
            raise Refused(
                Reason.TOO_LARGE, f"a {name} has more than {_MAX_VALUES:,} attributes and nested values: send fewer"
            )


__all__ = ["MAX_ITEMS", "Decoded", "Decoder", "Signal"]
