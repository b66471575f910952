"""Rows of the log to `model.Span`, bodies left where they are until somebody asks.

A span that was written in several versions is read as one: the latest version's body, times, name and status win; the
attributes are united, the latest version's value winning; the links are united. Spans that only share an id (another
kind, another process) stay apart.
"""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from otel_mas.model import Link, Resource, Scope, Span, SpanBody, SpanKind, StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import Shape, attributes_of, present_in
from otel_mas.store.otlp import decode_resource, decode_scope
from otel_mas.store.statements import COLUMN_LIST

# By key, not by trace and row: the log is then read in the order in which it lies on the disk.
_ENDED = """
SELECT id, span_id, parent_span_id, name, kind, start_ns, end_ns, status, resource, scope, present{columns}
FROM spans WHERE id IN (SELECT id FROM spans WHERE trace = ?)
"""
_BASE = 11
_VERSIONED = "SELECT DISTINCT span_id, kind, instance FROM spans WHERE trace = ? AND version > 0"
_IDENTITIES = "SELECT span_id, kind, instance FROM spans WHERE trace = ? ORDER BY id"
_OPEN = f"""
SELECT o.span_id, o.parent_span_id, o.name, o.kind, o.start_ns, o.resource, o.scope,
  coalesce(i.finished_ns, i.heartbeat_ns), i.finished_ns IS NOT NULL OR i.heartbeat_ns < :fresh_ns, {COLUMN_LIST}
FROM open_spans o JOIN instances i ON i.id = o.instance WHERE o.trace = :trace
"""
_LINKS = "SELECT span, cause_trace, cause_span, kind FROM links WHERE trace = ? ORDER BY span, position"

_KINDS: Mapping[int, SpanKind] = {int(kind): kind for kind in SpanKind}
_STATUSES: Mapping[int, StatusCode] = {int(status): status for status in StatusCode}

LoadBody = Callable[[int], SpanBody]
Identity = tuple[bytes, int, int]  # span id, kind, instance


def read_spans(
    connection: sqlite3.Connection, trace: int, trace_id: str, load: LoadBody, fresh_ns: int
) -> tuple[Span, ...]:
    """All spans of a trace, ended and open, in start order.

    Args:
        load: decodes the body with a given key.
        fresh_ns: a process whose last heartbeat is older is gone.
    """
    reading = _Reading(connection, trace, trace_id, load)
    # Agents, models and node names repeat: one string for all that are equal, while this trace is read.
    connection.text_factory = _Texts().__getitem__
    # A million new objects and no garbage among them: the collector would look through them again and again.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return in_start_order([*reading.ended(), *reading.open(fresh_ns)])
    finally:
        connection.text_factory = str
        if collecting:
            gc.enable()


def open_spans(connection: sqlite3.Connection, trace: int, trace_id: str, fresh_ns: int) -> list[Span]:
    """The spans of a trace that have not ended."""
    return _Reading(connection, trace, trace_id, _no_body).open(fresh_ns)


def _no_body(_key: int) -> SpanBody:
    return SpanBody()


def in_start_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    """By start; of those that start together parents come first, then the smaller span id."""
    ordered = sorted(spans, key=attrgetter("start_ns", "span_id"))
    first = 0
    for place in range(1, len(ordered) + 1):
        if place == len(ordered) or ordered[place].start_ns != ordered[first].start_ns:
            if place - first > 1:
                ordered[first:place] = _parents_first(ordered[first:place])
            first = place
    return tuple(ordered)


def _parents_first(spans: list[Span]) -> list[Span]:
    parents = {span.span_id: span.parent_span_id for span in spans}
    depths: dict[str, int] = {}
    for span in spans:
        path: list[str] = []
        at: str | None = span.span_id
        while at is not None and at in parents and at not in depths:
            depths[at] = 0  # where a cycle closes, it ends here
            path.append(at)
            at = parents[at]
        depth = -1 if at is None or at not in parents else depths[at]
        for span_id in reversed(path):
            depths[span_id] = depth = depth + 1
    return sorted(spans, key=lambda span: depths[span.span_id])  # stable: the span ids keep their order


class _Texts(dict[bytes, str]):
    def __missing__(self, text: bytes) -> str:
        self[text] = decoded = text.decode("utf-8", "replace")
        return decoded


class _Hexes(dict[bytes, str]):
    def __missing__(self, span_id: bytes) -> str:
        self[span_id] = text = span_id.hex()
        return text


class _Shapes(dict[int, Shape]):
    def __init__(self, selected: int) -> None:
        self._selected = selected

    def __missing__(self, present: int) -> Shape:
        self[present] = shape = Shape(present, self._selected, _BASE)
        return shape


class _Process(NamedTuple):
    resource: Resource
    service: str


class _Processes(dict[int | None, _Process]):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __missing__(self, key: int | None) -> _Process:
        row = self._connection.execute(
            "SELECT service, schema_url, body FROM resources WHERE id = ?", (key,)
        ).fetchone()
        self[key] = known = _Process(decode_resource(row[2], row[1]), row[0]) if row else _Process(Resource(), "")
        return known


class _Scopes(dict[int | None, Scope]):
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __missing__(self, key: int | None) -> Scope:
        row = self._connection.execute(
            "SELECT name, version, schema_url, body FROM scopes WHERE id = ?", (key,)
        ).fetchone()
        if row is None:
            known = Scope()
        else:
            known = decode_scope(row[3], row[2]) if row[3] else Scope(row[0], row[1], schema_url=row[2])
        self[key] = known
        return known


class _Body:
    """What decodes the body of one span: smaller than a partial, and there is one for each span."""

    __slots__ = ("_key", "_load")

    def __init__(self, load: LoadBody, key: int) -> None:
        self._load = load
        self._key = key

    def __call__(self) -> SpanBody:
        return self._load(self._key)


class _Draft:
    """A span in the making, with the layout of `Span`, which it becomes.

    The `__init__` of a frozen dataclass calls `object.__setattr__` for each field: 2.6 µs for a span instead of 0.7.
    """

    __slots__ = Span.__slots__

    def __init__(
        self,
        trace_id: str,
        span_id: str,
        parent_span_id: str | None,
        name: str,
        start_ns: int,
        end_ns: int,
        kind: SpanKind,
        status: StatusCode,
        service: str,
        links: tuple[Link, ...],
        columns: Mapping[str, Any],
        resource: Resource,
        scope: Scope,
        load: Callable[[], SpanBody],
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_span_id = parent_span_id
        self.name = name
        self.start_ns = start_ns
        self.end_ns = end_ns
        self.kind = kind
        self.status = status
        self.service = service
        self.links = links
        self.columns = columns
        self.resource = resource
        self.scope = scope
        self.load = load
        self._body: SpanBody | None = None
        self.seen_ns: int | None = None
        self.stopped = False


class _LinkDraft:
    """The same for a link."""

    __slots__ = Link.__slots__

    def __init__(self, trace_id: str, span_id: str, kind: str | None, attributes: Mapping[str, Any]) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.kind = kind
        self.attributes = attributes
        self.trace_state = ""
        self.flags = 0
        self.dropped_attributes_count = 0


class _Reading:
    """One pass over the rows of a trace, and what its spans share: ids, links' attributes, resources, scopes."""

    def __init__(self, connection: sqlite3.Connection, trace: int, trace_id: str, load: LoadBody) -> None:
        self._connection = connection
        self._trace = trace
        self._trace_id = trace_id
        self._load = load
        self._hexes = _Hexes()
        self._processes = _Processes(connection)
        self._scopes = _Scopes(connection)

    def ended(self) -> list[Span]:
        (selected,) = self._connection.execute("SELECT present FROM traces WHERE id = ?", (self._trace,)).fetchone()
        query = _ENDED.format(columns="".join(f", {column.name}" for column in present_in(selected)))
        links = self._links()
        spans: list[Span] = []
        # This loop runs 100,000 times for a large trace: local names, nothing called that need not be.
        trace_id, load, hexes, shapes = self._trace_id, self._load, self._hexes, _Shapes(selected)
        processes, scopes, kinds, statuses, no_links = self._processes, self._scopes, _KINDS, _STATUSES, ()
        for row in self._connection.execute(query, (self._trace,)):
            key, span_id, parent, name, kind, start_ns, end_ns, status, resource, scope, present = row[:_BASE]
            process, service = processes[resource]
            span: Any = _Draft(
                trace_id,
                hexes[span_id],
                None if parent is None else hexes[parent],
                name or "",
                start_ns,
                end_ns,
                kinds.get(kind, SpanKind.UNSPECIFIED),
                statuses.get(status, StatusCode.UNSET),
                service,
                links.get(key, no_links),
                shapes[present].attributes(row),
                process,
                scopes[scope],
                _Body(load, key),
            )
            span.__class__ = Span
            spans.append(span)
        return self._merged(spans)

    def open(self, fresh_ns: int) -> list[Span]:
        spans = []
        for row in self._connection.execute(_OPEN, {"trace": self._trace, "fresh_ns": fresh_ns}).fetchall():
            span_id, parent, name, kind, start_ns, resource, scope, seen_ns, stopped, *columns = row
            process, service = self._processes[resource]
            spans.append(
                Span(
                    trace_id=self._trace_id,
                    span_id=self._hexes[span_id],
                    parent_span_id=None if parent is None else self._hexes[parent],
                    name=name or "",
                    start_ns=start_ns,
                    end_ns=None,
                    kind=_KINDS.get(kind, SpanKind.UNSPECIFIED),
                    service=service,
                    columns=attributes_of(columns),
                    resource=process,
                    scope=self._scopes[scope],
                    seen_ns=seen_ns,
                    stopped=bool(stopped),
                )
            )
        return spans

    def _links(self) -> dict[int, tuple[Link, ...]]:
        attributes: dict[str | None, Mapping[str, Any]] = {None: {}}
        hexes, trace_id = self._hexes, self._trace_id
        found: dict[int, tuple[Link, ...]] = {}
        for span, cause_trace, cause_span, kind in self._connection.execute(_LINKS, (self._trace,)):
            if kind not in attributes:
                attributes[kind] = {names.MAS_LINK_KIND: kind}
            cause = trace_id if cause_trace is None else hexes[cause_trace]
            link: Any = _LinkDraft(cause, hexes[cause_span], kind, attributes[kind])
            link.__class__ = Link
            found[span] = (*found[span], link) if span in found else (link,)
        return found

    def _merged(self, spans: list[Span]) -> list[Span]:
        """One span for all of its versions, which come in the order of their keys: the later one is the latest."""
        versioned: set[Identity] = set(self._connection.execute(_VERSIONED, (self._trace,)))
        if not versioned:
            return spans
        kept: dict[object, Span] = {}
        identities: list[Identity] = self._connection.execute(_IDENTITIES, (self._trace,)).fetchall()
        for place, (span, identity) in enumerate(zip(spans, identities, strict=True)):
            if identity not in versioned:
                kept[place] = span
            else:
                older = kept.get(identity)
                kept[identity] = span if older is None else _united(older, span)
        return list(kept.values())


def _united(older: Span, newer: Span) -> Span:
    links = {(link.trace_id, link.span_id, link.kind): link for link in older.links + newer.links}
    return replace(
        newer,
        columns={**older.columns, **newer.columns},
        links=tuple(links.values()),
        load=partial(_united_body, older, newer),
    )


def _united_body(older: Span, newer: Span) -> SpanBody:
    return replace(newer.body, attributes={**older.body.attributes, **newer.body.attributes})
