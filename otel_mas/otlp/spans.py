"""The model's spans → OTLP bytes: the way back of `decode`, for spans that come from elsewhere than OTLP."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from otel_mas.model import Span
from otel_mas.otlp.encode import key_values
from otel_mas.otlp.wire import delimited, number, text

# Tags of opentelemetry/proto/trace/v1/trace.proto: field number << 3 | wire type.
_TRACE_ID, _SPAN_ID, _TRACE_STATE, _PARENT = b"\x0a", b"\x12", b"\x1a", b"\x22"
_NAME, _KIND, _TIMES, _ATTRIBUTE = b"\x2a", b"\x30", struct.Struct("<cQcQ"), b"\x4a"
_EVENT, _EVENT_TIME, _EVENT_NAME, _EVENT_ATTRIBUTE = b"\x5a", struct.Struct("<cQ"), b"\x12", b"\x1a"
_LINK, _LINK_ATTRIBUTE = b"\x6a", b"\x22"
_STATUS, _STATUS_MESSAGE, _STATUS_CODE = b"\x7a", b"\x12", b"\x18"
_INT64 = range(-(2**63), 2**63)
_UINT64_MAX = 2**64 - 1


def encode_span(span: Span) -> bytes:
    """An OTLP `Span` message. Integers beyond 64 bits become text, times outside of OTLP's range the nearest in it."""
    body = span.body
    events = (
        _EVENT_TIME.pack(b"\x09", _time(event.time_ns))
        + text(_EVENT_NAME, event.name)
        + key_values(_EVENT_ATTRIBUTE, storable(event.attributes))
        for event in body.events
    )
    links = (
        delimited(_TRACE_ID, bytes.fromhex(link.trace_id))
        + delimited(_SPAN_ID, bytes.fromhex(link.span_id))
        + key_values(_LINK_ATTRIBUTE, storable(link.attributes))
        for link in body.links
    )
    status = (text(_STATUS_MESSAGE, body.status_message) if body.status_message else b"") + number(
        _STATUS_CODE, span.status
    )
    return b"".join(
        (
            delimited(_TRACE_ID, bytes.fromhex(span.trace_id)),
            delimited(_SPAN_ID, bytes.fromhex(span.span_id)),
            text(_TRACE_STATE, body.trace_state) if body.trace_state else b"",
            delimited(_PARENT, bytes.fromhex(span.parent_span_id)) if span.parent_span_id else b"",
            text(_NAME, span.name),
            number(_KIND, span.kind),
            _TIMES.pack(b"\x39", _time(span.start_ns), b"\x41", _time(span.end_ns or 0)),
            key_values(_ATTRIBUTE, storable(body.attributes)),
            *(delimited(_EVENT, event) for event in events),
            *(delimited(_LINK, link) for link in links),
            delimited(_STATUS, status) if status else b"",
        )
    )


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as OTLP can hold them."""
    return {name: _storable(value) for name, value in values.items()}


def _storable(value: Any) -> Any:
    if type(value) is int:
        return value if value in _INT64 else f"{value:#x}"
    if isinstance(value, tuple | list):
        return [_storable(item) for item in value]
    if isinstance(value, Mapping):
        return storable(value)
    return value


def _time(time_ns: int) -> int:
    return min(max(time_ns, 0), _UINT64_MAX)


__all__ = ["encode_span", "storable"]
