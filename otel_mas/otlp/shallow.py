"""OTLP messages parsed no deeper than their attributes, which stay encoded: a `KeyValue` is bytes.

Parsing is protobuf's, so in C; other fields stay as unknown ones, and are written again. Loads protobuf.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from otel_mas.otlp.message_types import message_types

# Numbers of opentelemetry/proto/{trace,common,resource}/v1.
_TYPES: Final = message_types(
    "otel_mas.shallow",
    {
        "Span": {
            "attributes": (9, "[bytes]"),
            "events": (11, "[Event]"),
            "links": (13, "[Link]"),
            "status": (15, "Status"),
        },
        "Event": {"attributes": (3, "[bytes]")},
        "Link": {"attributes": (4, "[bytes]")},
        "Status": {"message": (2, "bytes")},
        "Resource": {"attributes": (1, "[bytes]")},
        "Scope": {"attributes": (3, "[bytes]")},
        "KeyValue": {"key": (1, "bytes"), "value": (2, "bytes")},
    },
)
Span: Final[Any] = _TYPES["Span"]
Resource: Final[Any] = _TYPES["Resource"]
Scope: Final[Any] = _TYPES["Scope"]
KeyValue: Final[Any] = _TYPES["KeyValue"]

__all__ = ["DecodeError", "KeyValue", "Resource", "Scope", "Span"]
