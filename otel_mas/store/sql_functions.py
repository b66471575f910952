"""Functions for SQL queries, which read what is in the bytes of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from otel_mas.dialects.reading import with_lists
from otel_mas.model import Message, MessageRef, SpanBody
from otel_mas.model.message_text import written
from otel_mas.otlp.decode import decode_body, decode_resource

_KEPT_BODIES = 256  # decoded: several functions of a row read the same one
_Reader = Any


def attribute(body: bytes | None, name: str) -> Any:
    """An attribute of a span; an array or a map as JSON."""
    return None if body is None else _storable(_decoded(body).attributes.get(name))


def resource_attribute(resource: bytes | None, name: str) -> Any:
    """An attribute of the process that emitted a span, such as service.version."""
    return None if resource is None else _storable(_resource(resource).get(name))


def attributes(body: bytes | None) -> str | None:
    """All attributes of a span as a JSON object."""
    return None if body is None else _json(with_lists(_decoded(body).attributes))


def events(body: bytes | None) -> str | None:
    """A span's events as a JSON array of {name, time_ns, attributes}."""
    if body is None:
        return None
    found = _decoded(body).events
    return _json(
        [{"name": one.name, "time_ns": one.time_ns, "attributes": with_lists(one.attributes)} for one in found]
    )


def links(body: bytes | None) -> str | None:
    """A span's links as a JSON array of {trace_id, span_id, kind, attributes}."""
    if body is None:
        return None
    return _json(
        [
            {
                "trace_id": one.trace_id,
                "span_id": one.span_id,
                "kind": one.kind,
                "attributes": with_lists(one.attributes),
            }
            for one in _decoded(body).links
        ]
    )


def text(body: bytes | None) -> str | None:
    """A message's JSON as text."""
    if body is None:
        return None
    try:
        message = orjson.loads(body)
    except ValueError:
        return None
    return written(message) if isinstance(message, dict) else None


def iso(ns: int | None) -> str | None:
    """Nanoseconds since the epoch as ISO 8601, UTC: 2026-11-21T16:57:49.123456789Z."""
    if not isinstance(ns, int):
        return None
    seconds, rest = divmod(ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


class ContentFunctions:
    """Functions that look things up in a store.

    Args:
        reader: a `StoreReader`.
    """

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._trace_id: str | None = None
        self._refs: dict[str, list[MessageRef]] = {}
        self._unread: Iterator[str] | None = None
        self._carrying: dict[str, str] = {}

    def message(self, digest: str) -> str | None:
        """A message as text, by its digest in hex."""
        found: Message | None = self._reader.messages([digest]).get(digest)
        if found is None or found.body is None:
            trace_id = self._trace_with(digest)
            found = None if trace_id is None else self._reader.carried_messages(trace_id).get(digest)
        return None if found is None or found.body is None else written(found.body)

    def _trace_with(self, digest: str) -> str | None:
        """A trace that carries a message; each trace is looked at once in a query."""
        if self._unread is None:
            self._unread = iter(self._reader.carrying_traces())
        while digest not in self._carrying:
            trace_id = next(self._unread, None)
            if trace_id is None:
                return None
            for one, message in self._reader.carried_messages(trace_id).items():
                if message.body is not None:
                    self._carrying.setdefault(one, trace_id)
        return self._carrying[digest]

    def messages(self, trace_id: str, span_id: str) -> str:
        """The messages of a span as a JSON array of {direction, position, digest, role, text}."""
        if trace_id != self._trace_id:
            self._trace_id, self._refs = trace_id, {}
            for one in self._reader.message_refs(trace_id):
                self._refs.setdefault(one.span_id, []).append(one)
        refs = self._refs.get(span_id, [])
        found: Mapping[str, Message] = self._reader.messages([one.digest for one in refs], trace_id)
        rows = []
        for one in refs:
            message = found.get(one.digest)
            body = None if message is None else message.body
            rows.append(
                {
                    "direction": one.direction,
                    "position": one.position,
                    "digest": one.digest,
                    "role": None if message is None else message.role,
                    "text": None if body is None else written(body),
                }
            )
        return _json(rows)

    def content(self, trace_id: str, span_id: str, name: str) -> Any:
        """Another content of a span, such as gen_ai.tool.call.result; as JSON where it is no text."""
        value = {one.name: one.value for one in self._reader.contents(trace_id, span_id)}.get(name)
        return value if value is None or isinstance(value, str) else _json(value)

    def contents(self, trace_id: str, span_id: str) -> str:
        """All other content of a span as a JSON object: name to JSON."""
        return _json({one.name: _json(one.value) for one in self._reader.contents(trace_id, span_id)})


def functions(reader: _Reader) -> dict[str, tuple[str, Callable[..., Any]]]:
    """Every function by name, with its arguments."""
    content = ContentFunctions(reader)
    return {
        "attribute": ("body, name", attribute),
        "attributes": ("body", attributes),
        "resource_attribute": ("resource, name", resource_attribute),
        "events": ("body", events),
        "links": ("body", links),
        "message": ("digest", content.message),
        "messages": ("trace_id, span_id", content.messages),
        "content": ("trace_id, span_id, name", content.content),
        "contents": ("trace_id, span_id", content.contents),
        "iso": ("ns", iso),
        "text": ("body of a message", text),
    }


HIDDEN: Final = frozenset({"text", "contents"})
"""Functions that only views use."""


def register(connection: sqlite3.Connection, found: Mapping[str, tuple[str, Callable[..., Any]]]) -> None:
    """Make the functions known to a connection. One that fails answers NULL: a damaged body is no reason to stop."""
    for name, (arguments, function) in found.items():
        connection.create_function(name, arguments.count(",") + 1, _safe(function), deterministic=True)


def _safe(function: Callable[..., Any]) -> Callable[..., Any]:
    def called(*values: Any) -> Any:
        try:
            return function(*values)
        except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
            return None

    return called


@lru_cache(maxsize=_KEPT_BODIES)
def _decoded(body: bytes) -> SpanBody:
    return decode_body(body)


@lru_cache(maxsize=_KEPT_BODIES)
def _resource(body: bytes) -> Mapping[str, Any]:
    return decode_resource(body).attributes


def _storable(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bytes) else _json(with_lists(value))


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
