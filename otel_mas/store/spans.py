"""Rows of the log to `model.Span`, bodies left where they are until somebody asks.

A span that was written in several versions is read as one: the latest version's body, times, name and status win; the
attributes are united, the latest version's value winning; the links are united. Spans that only share an id (another
kind, another process) stay apart.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from operator import attrgetter
from sys import intern
from typing import Any

from otel_mas.model import Link, Resource, Scope, Span, SpanBody, SpanKind, StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import ATTRIBUTES, attributes_of
from otel_mas.store.otlp import decode_resource, decode_scope
from otel_mas.store.statements import COLUMN_LIST

# By key, not by trace and row: the log is then read in the order in which it lies on the disk.
_ENDED = f"""
SELECT {COLUMN_LIST}, id, span_id, parent_span_id, name, kind, start_ns, end_ns, status, resource, scope, version, instance
FROM spans WHERE id IN (SELECT id FROM spans WHERE trace = ?)
"""
_OPEN = f"""
SELECT {COLUMN_LIST}, span_id, parent_span_id, name, kind, start_ns, resource, scope FROM open_spans WHERE trace = ?
"""
_LINKS = "SELECT span, cause_trace, cause_span, kind FROM links WHERE trace = ? ORDER BY span, position"

_WIDTH = len(ATTRIBUTES)
_KINDS: tuple[SpanKind, ...] = tuple(SpanKind)
_STATUSES: tuple[StatusCode, ...] = tuple(StatusCode)
_NOTHING: Mapping[str, Any] = {}

LoadBody = Callable[[int], SpanBody]


def read_spans(connection: sqlite3.Connection, trace: int, trace_id: str, load: LoadBody) -> tuple[Span, ...]:
    """All spans of a trace, ended and open, in start order. `load` decodes the body with a given key."""
    reading = _Reading(connection, trace, trace_id, load)
    return in_start_order([*reading.ended(), *reading.open()])


def in_start_order(spans: list[Span]) -> tuple[Span, ...]:
    """By start; of those that start together parents come first, then the smaller span id."""
    spans.sort(key=attrgetter("start_ns", "span_id"))
    first = 0
    for place in range(1, len(spans) + 1):
        if place == len(spans) or spans[place].start_ns != spans[first].start_ns:
            if place - first > 1:
                spans[first:place] = _parents_first(spans[first:place])
            first = place
    return tuple(spans)


def _parents_first(spans: list[Span]) -> list[Span]:
    parents = {span.span_id: span.parent_span_id for span in spans}

    def depth(span: Span) -> int:
        steps, seen, parent = 0, {span.span_id}, span.parent_span_id
        while parent in parents and parent not in seen:  # a cycle ends the walk
            seen.add(parent)
            steps, parent = steps + 1, parents[parent]
        return steps

    return sorted(spans, key=depth)  # stable: the span ids keep their order


class _Reading:
    """What the spans of one trace share, made once: ids, links by kind, resources, scopes."""

    def __init__(self, connection: sqlite3.Connection, trace: int, trace_id: str, load: LoadBody) -> None:
        self._connection = connection
        self._trace = trace
        self._trace_id = trace_id
        self._load = load
        self._resources: dict[int | None, tuple[Resource, str]] = {}
        self._scopes: dict[int | None, Scope] = {}

    def ended(self) -> list[Span]:
        rows = self._connection.execute(_ENDED, (self._trace,))
        links = self._links()
        trace_id, load, width, no_links = self._trace_id, self._load, _WIDTH, ()
        spans: list[Span] = []
        keys: list[tuple[bytes, int, int]] = []
        versions: set[tuple[bytes, int, int]] = set()
        for row in rows:
            key, span_id, parent, name, kind, start_ns, end_ns, status, resource, scope, version, instance = row[width:]
            if version:
                versions.add((span_id, kind, instance))
            keys.append((span_id, kind, instance))
            process, service = self._resources.get(resource) or self._resource(resource)
            spans.append(
                Span(
                    trace_id,
                    span_id.hex(),
                    parent and intern(parent.hex()),
                    intern(name or ""),
                    start_ns,
                    end_ns,
                    _KINDS[kind] if 0 <= kind < 6 else SpanKind.UNSPECIFIED,
                    _STATUSES[status] if 0 <= status < 3 else StatusCode.UNSET,
                    service,
                    links.get(key, no_links),
                    attributes_of(row[:width]),
                    process,
                    self._scopes.get(scope) or self._scope(scope),
                    partial(load, key),
                )
            )
        return _merged(spans, keys, versions) if versions else spans

    def open(self) -> list[Span]:
        spans = []
        for row in self._connection.execute(_OPEN, (self._trace,)).fetchall():
            span_id, parent, name, kind, start_ns, resource, scope = row[_WIDTH:]
            process, service = self._resource(resource)
            spans.append(
                Span(
                    trace_id=self._trace_id,
                    span_id=span_id.hex(),
                    parent_span_id=parent and parent.hex(),
                    name=name or "",
                    start_ns=start_ns,
                    end_ns=None,
                    kind=_KINDS[kind] if 0 <= kind < len(_KINDS) else SpanKind.UNSPECIFIED,
                    service=service,
                    columns=attributes_of(row[:_WIDTH]),
                    resource=process,
                    scope=self._scope(scope),
                )
            )
        return spans

    def _links(self) -> dict[int, tuple[Link, ...]]:
        kinds: dict[str | None, Mapping[str, Any]] = {None: _NOTHING}
        found: dict[int, list[Link]] = {}
        for span, cause_trace, cause_span, kind in self._connection.execute(_LINKS, (self._trace,)):
            attributes = kinds.get(kind)
            if attributes is None:
                attributes = kinds[kind] = {names.MAS_LINK_KIND: kind}
            link = Link(intern(cause_trace.hex()), intern(cause_span.hex()), kind, attributes)
            found.setdefault(span, []).append(link)
        return {span: tuple(links) for span, links in found.items()}

    def _resource(self, key: int | None) -> tuple[Resource, str]:
        if key not in self._resources:
            row = self._connection.execute(
                "SELECT service, schema_url, body FROM resources WHERE id = ?", (key,)
            ).fetchone()
            self._resources[key] = (decode_resource(row[2], row[1]), row[0]) if row else (Resource(), "")
        return self._resources[key]

    def _scope(self, key: int | None) -> Scope:
        if key not in self._scopes:
            row = self._connection.execute(
                "SELECT name, version, schema_url, body FROM scopes WHERE id = ?", (key,)
            ).fetchone()
            if row is None:
                self._scopes[key] = Scope()
            elif row[3]:
                self._scopes[key] = decode_scope(row[3], row[2])
            else:
                self._scopes[key] = Scope(row[0], row[1], schema_url=row[2])
        return self._scopes[key]


def _merged(
    spans: list[Span], keys: list[tuple[bytes, int, int]], versions: set[tuple[bytes, int, int]]
) -> list[Span]:
    """One span for all of its versions. Rows come in the order of their keys: the later one is the later version."""
    kept: dict[object, Span] = {}
    for place, (span, key) in enumerate(zip(spans, keys, strict=True)):
        if key not in versions:
            kept[place] = span
            continue
        older = kept.get(key)
        kept[key] = span if older is None else _united(older, span)
    return list(kept.values())


def _united(older: Span, newer: Span) -> Span:
    return replace(
        newer,
        columns={**older.columns, **newer.columns},
        links=tuple({(link.trace_id, link.span_id, link.kind): link for link in older.links + newer.links}.values()),
        load=partial(_united_body, older, newer),
    )


def _united_body(older: Span, newer: Span) -> SpanBody:
    return replace(newer.body, attributes={**older.body.attributes, **newer.body.attributes})
