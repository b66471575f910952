"""Rows of spans that others exported: OTLP `Span` messages, which stay the bytes that they are.

Only what has a column is looked at. Resources and scopes come again with every request, and are remembered.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from typing import Any, Final

from otel_mas.config import Settings
from otel_mas.dialects import (
    MARKERS,
    NOT_PLAIN,
    OWN_SCOPE,
    is_control_flow,
    plain_kind,
    translated,
    translated_beside_ours,
)
from otel_mas.dialects.calls import NO_PROVIDERS
from otel_mas.model import StatusCode
from otel_mas.otlp.array_parts import FIRST_PARTS, with_joined_arrays
from otel_mas.otlp.decode import as_written, decode_resource, decode_scope, decode_value
from otel_mas.otlp.nesting import parsed
from otel_mas.otlp.split import ResourcePart, ScopePart
from otel_mas.privacy.stored import Privacy
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import ATTRIBUTES, POSITION, placed_values
from otel_mas.store.foreign_cost import with_cost
from otel_mas.store.imported import ImportedPrivacy
from otel_mas.store.rows import SpanRow
from otel_mas.store.writer import StoreWriter

_OPEN_WRITERS = 16
_MAX_REMEMBERED = 1024
_MAX_REMEMBERED_BYTES = 8192  # of one: a larger resource or scope is looked up each time
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)
_LAST_NS: Final = 2**63 - 1
_KNOWN: Final = frozenset(ATTRIBUTES) | FIRST_PARTS | MARKERS | NOT_PLAIN
"""Names of attributes that are looked at."""
_OPERATION, _PROVIDER = POSITION[names.GEN_AI_OPERATION_NAME], POSITION[names.GEN_AI_PROVIDER_NAME]
# Processes that record name their service; imports and receivers write for many, and name none.
_RECORDER = "(SELECT id FROM instances WHERE service <> '')"
_RECORDED_TRACE = (
    "SELECT t.id FROM traces t JOIN trace_instances i ON i.trace = t.id "
    f"WHERE t.trace_id = ? AND i.instance IN {_RECORDER}"
)
_RECORDED_SPAN = (
    f"SELECT 1 FROM spans WHERE trace = ? AND span_id = ? AND instance IN {_RECORDER} UNION ALL "
    f"SELECT 1 FROM open_spans WHERE trace = ? AND span_id = ? AND instance IN {_RECORDER}"
)


class RunWriter:
    """Writes the spans of one `otel-mas run`, or of none, so that they can be found by their run.

    `lock` is for callers that make rows and write them on different threads.
    """

    def __init__(self, open_writer: Callable[..., StoreWriter], run_id: str | None) -> None:
        # The same at each import, so that a span that comes twice is a duplicate.
        instance_id = blake2b(f"otel-mas import {run_id or ''}".encode(), digest_size=16).digest()
        self.writer = open_writer(instance_id=instance_id, run_id=run_id, service="")
        self.lock = threading.Lock()


class RunWriters:
    """The writers of a few runs, opened as their spans come.

    Args:
        path: of the store.
        options: of each `StoreWriter`.
    """

    def __init__(self, path: str | os.PathLike[str], **options: Any) -> None:
        self._path = path
        self._options = options
        self._runs: dict[str | None, RunWriter] = {}

    def of(self, run_id: str | None) -> RunWriter:
        """The writer of a run. Another one may be closed for it; a closed one opens again when it is written to."""
        found = self._runs.get(run_id)
        if found is None:
            if len(self._runs) >= _OPEN_WRITERS:
                self._finish(self._runs.pop(next(iter(self._runs))))
            found = self._runs[run_id] = RunWriter(self._open, run_id)
        return found

    def close(self, *, finished: bool = True) -> None:
        """Close all; `finished` says that their processes ended in good order."""
        runs, self._runs = self._runs, {}
        for run in runs.values():
            if finished:
                self._finish(run)
            run.writer.close()

    def _open(self, **identity: Any) -> StoreWriter:
        return StoreWriter(self._path, **identity, **self._options)

    def _finish(self, run: RunWriter) -> None:
        with run.lock:
            run.writer.finish((), 0)
            run.writer.close()


@dataclass(frozen=True, slots=True)
class _Resource:
    run: RunWriter
    key: int
    has_ours: bool
    """Whether we recorded in that process, too."""


class OtlpRows:
    """Makes rows, for one thread.

    Args:
        runs: the store's writers, which give the keys of resources and scopes.
        reading: a connection to the store, to look for spans that are there.
        privacy: the treatment of each message; None stores them as they come.
        may_ship: whether the store's destinations get the spans, too.
    """

    def __init__(
        self,
        runs: RunWriters,
        reading: sqlite3.Connection,
        *,
        privacy: ImportedPrivacy | None = None,
        may_ship: bool = False,
    ) -> None:
        self._runs = runs
        self._reading = reading
        self._privacy = privacy
        self._may_ship = may_ship
        self._resources: dict[tuple[bytes, str], _Resource] = {}
        self._scopes: dict[tuple[RunWriter, bytes, str], tuple[int, str]] = {}
        self.without_ids = 0
        """Spans of no trace, which were left out."""
        self.recorded = 0
        """Spans that were recorded in this store, and left out."""
        self.oldest_ns: int | None = None

    def add(self, part: ResourcePart) -> tuple[RunWriter, list[SpanRow]]:
        """The rows of a resource's spans, and who writes them.

        Raises:
            ValueError: it is not OTLP.
            StoreError: a resource or a scope cannot be written.
        """
        resource = self._resource(part)
        rows = []
        recorded = _RecordedTraces(self._reading)
        for of_scope in part.scopes:
            key, scope = self._scope(resource.run, of_scope)
            for encoded in of_scope.items:
                row = self._row(encoded, resource, key, scope)
                if row is None:
                    self.without_ids += 1
                    continue
                trace = recorded[row.trace_id]
                if trace is None or not self._is_recorded(trace, row.span_id):
                    rows.append(row)
        return resource.run, rows

    def _resource(self, part: ResourcePart) -> _Resource:
        known = self._resources.get((part.resource, part.schema_url))
        if known is not None:
            return known
        body = part.resource
        if self._privacy is not None:
            body = self._privacy.resource(body)
        attributes = decode_resource(body).attributes
        run_id = attributes.get(names.MAS_RUN_ID)
        run = self._runs.of(run_id if isinstance(run_id, str) else None)
        with run.lock:
            key = run.writer.resource(attributes, part.schema_url, body)
        found = _Resource(run, key, names.MAS_INSTANCE_ID in attributes)
        _remember(self._resources, (part.resource, part.schema_url), found)
        return found

    def _scope(self, run: RunWriter, part: ScopePart) -> tuple[int, str]:
        """The key of a scope, and its name."""
        known = self._scopes.get((run, part.scope, part.schema_url))
        if known is not None:
            return known
        body = part.scope
        if self._privacy is not None:
            body = self._privacy.scope(body)
        scope = decode_scope(body)
        with run.lock:
            key = run.writer.scope(scope.name, scope.version, scope.attributes, part.schema_url)
        found = key, scope.name
        _remember(self._scopes, (run, part.scope, part.schema_url), found)
        return found

    def _is_recorded(self, trace: int, span_id: bytes) -> bool:
        """Tell whether the span was recorded here: one that was shipped, or exported too, has less in it."""
        key = (trace, span_id)
        recorded = self._reading.execute(_RECORDED_SPAN, (*key, *key)).fetchone() is not None
        self.recorded += recorded
        return recorded

    def _row(self, encoded: bytes, resource: _Resource, scope: int, scope_name: str) -> SpanRow | None:
        """The row of a span; None where it has no ids."""
        span = parsed(_indexed_span()(), encoded)
        trace_id, span_id = span.trace_id, span.span_id
        if len(trace_id) != 16:
            trace_id = trace_id.rjust(16, b"\0")
        if len(trace_id) != 16 or len(span_id) != 8 or trace_id == _NO_TRACE or span_id == _NO_SPAN:
            return None
        known = _KNOWN.intersection(span.attributes)
        if self._privacy is not None or not known.isdisjoint(FIRST_PARTS):
            encoded = self._treated(encoded)
            span = parsed(_indexed_span()(), encoded)
            known = _KNOWN.intersection(span.attributes)
        parent = span.parent_span_id
        start_ns, end_ns = span.start_time_unix_nano, span.end_time_unix_nano
        if self.oldest_ns is None or start_ns < self.oldest_ns:
            self.oldest_ns = min(start_ns, _LAST_NS)
        status = span.status.code
        columns = _columns(span.attributes, known) if known else {}
        if known and scope_name != OWN_SCOPE and not known.isdisjoint(MARKERS):
            more = _translated(span, known, columns, None if not resource.has_ours else scope_name)
            columns |= {POSITION[name]: more[name] for name in POSITION.keys() & more}
            status = StatusCode.UNSET if is_control_flow(more) else status
        links = span.links
        return SpanRow(
            trace_id,
            span_id,
            parent if parent.strip(b"\0") else None,
            span.name,
            span.kind,
            start_ns if start_ns <= _LAST_NS else _LAST_NS,
            end_ns if end_ns <= _LAST_NS else _LAST_NS,
            status,
            placed_values(columns) if columns else columns,
            tuple(map(_link, links)) if links else (),
            encoded,
            resource.key,
            scope,
            True,  # sampled, or it would not have been exported; most SDKs' flags do not say so
            self._may_ship,
        )

    def _treated(self, encoded: bytes) -> bytes:
        """The span with its arrays joined, and without what privacy takes out."""
        encoded = with_joined_arrays(parsed(_span_message()(), encoded), encoded)
        return encoded if self._privacy is None else bytes(self._privacy.span(encoded).SerializeToString())


class _RecordedTraces(dict[bytes, int | None]):
    """By the ids of traces the keys of those that were recorded in this store, and None for the others."""

    def __init__(self, reading: sqlite3.Connection) -> None:
        super().__init__()
        self._reading = reading

    def __missing__(self, trace_id: bytes) -> int | None:
        found = self._reading.execute(_RECORDED_TRACE, (trace_id,)).fetchone()
        self[trace_id] = trace = None if found is None else found[0]
        return trace


def privacy_of(settings: Settings | None, store_key: bytes) -> ImportedPrivacy | None:
    """The treatment of others' spans, where settings ask for personal data to be removed.

    Args:
        settings: of this process.
        store_key: the store's key, for digests in placeholders.
    """
    if settings is None or not settings.removes:
        return None
    privacy = Privacy.of(replace(settings, content=settings.content or "redacted"))
    if privacy.personal is not None:
        privacy.personal.key = settings.digest_key or store_key
    return ImportedPrivacy(privacy)


def _remember(known: dict[Any, Any], key: tuple[Any, ...], value: Any) -> None:
    if sum(len(part) for part in key if isinstance(part, bytes | str)) > _MAX_REMEMBERED_BYTES:
        return
    if len(known) >= _MAX_REMEMBERED:
        known.clear()
    known[key] = value


def _columns(attributes: Any, known: frozenset[str]) -> dict[int, object]:
    found: dict[int, Any] = {}
    for name in known:
        if name in POSITION:
            value = attributes[name]
            found[POSITION[name]] = value.string_value or value.int_value or decode_value(value)
    return found


def _translated(span: Any, known: frozenset[str], columns: Mapping[int, Any], with_ours: str | None) -> dict[str, Any]:
    """The attributes of a span of other instrumentation in our names.

    Args:
        known: names of its attributes that are looked at.
        columns: its own values, by their place.
        with_ours: name of its scope where we recorded in its process, too.
    """
    is_plain = with_ours is None and span.status.code != StatusCode.ERROR and columns.get(_PROVIDER) not in NO_PROVIDERS
    kind = plain_kind(known, columns.get(_OPERATION)) if is_plain else None
    if kind is not None:
        return with_cost({names.MAS_RECORD_KIND: kind}, lambda name: columns.get(POSITION.get(name, -1)))
    attributes = {name: value.string_value or decode_value(value) for name, value in span.attributes.items()}
    written = as_written(span, attributes)
    more = translated(written) if with_ours is None else translated_beside_ours(written, with_ours)
    return with_cost(more, attributes.get)


def _link(link: Any) -> tuple[bytes, bytes, str | None]:
    kind = None
    for pair in link.attributes:
        if pair.key == names.MAS_LINK_KIND:
            kind = pair.value.string_value if pair.value.WhichOneof("value") == "string_value" else None
    return link.trace_id.rjust(16, b"\0"), link.span_id, kind


@cache
def _span_message() -> Callable[[], Any]:
    from opentelemetry.proto.trace.v1 import trace_pb2

    return trace_pb2.Span


@cache
def _indexed_span() -> Callable[[], Any]:
    from otel_mas.otlp.indexed_span import IndexedSpan

    return IndexedSpan  # type: ignore[no-any-return]


__all__ = ["OtlpRows", "RunWriter", "RunWriters", "privacy_of"]
