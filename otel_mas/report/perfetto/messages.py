"""Messages of Perfetto's trace format that we write: some of the fields, by the numbers that they have there.

https://perfetto.dev/docs/reference/trace-packet-proto has all of them; a test reads what is written with these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.otlp.message_types import message_types

# Message → field → (number, type), in brackets where it is repeated. Enums are written as int32: the same bytes.
_MESSAGES: Final[Mapping[str, Mapping[str, tuple[int, str]]]] = {
    "Trace": {"packet": (1, "[TracePacket]")},
    "TracePacket": {
        "clock_snapshot": (6, "ClockSnapshot"),
        "timestamp": (8, "uint64"),
        "trusted_packet_sequence_id": (10, "uint32"),
        "track_event": (11, "TrackEvent"),
        "sequence_flags": (13, "uint32"),
        "track_descriptor": (60, "TrackDescriptor"),
    },
    "ClockSnapshot": {"clocks": (1, "[Clock]"), "primary_trace_clock": (2, "int32")},
    "Clock": {"clock_id": (1, "uint32"), "timestamp": (2, "uint64")},
    "TrackDescriptor": {
        "uuid": (1, "uint64"),
        "name": (2, "string"),
        "process": (3, "ProcessDescriptor"),
        "parent_uuid": (5, "uint64"),
        "child_ordering": (11, "int32"),
        "sibling_order_rank": (12, "int32"),
    },
    "ProcessDescriptor": {"pid": (1, "int32"), "process_name": (6, "string")},
    "TrackEvent": {
        "debug_annotations": (4, "[DebugAnnotation]"),
        "type": (9, "int32"),
        "track_uuid": (11, "uint64"),
        "categories": (22, "[string]"),
        "name": (23, "string"),
        "flow_ids": (47, "[fixed64]"),
        "terminating_flow_ids": (48, "[fixed64]"),
    },
    "DebugAnnotation": {
        "bool_value": (2, "bool"),
        "int_value": (4, "int64"),
        "double_value": (5, "double"),
        "string_value": (6, "string"),
        "name": (10, "string"),
    },
}

SLICE_BEGIN: Final = 1
SLICE_END: Final = 2
INCREMENTAL_STATE_CLEARED: Final = 1
REALTIME_CLOCK: Final = 1
BOOTTIME_CLOCK: Final = 6
EXPLICIT_ORDER: Final = 3


Trace: Final[Any] = message_types("otel_mas.perfetto", _MESSAGES)["Trace"]
"""The class of the whole; its fields make the other messages."""

__all__ = [
    "BOOTTIME_CLOCK",
    "EXPLICIT_ORDER",
    "INCREMENTAL_STATE_CLEARED",
    "REALTIME_CLOCK",
    "SLICE_BEGIN",
    "SLICE_END",
    "Trace",
]
