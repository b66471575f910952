"""Span processor, queue and writer thread. Hooks use what is exported here; switches also use `lifecycle`."""

from otel_mas.record.cause import Cause
from otel_mas.record.content.canonical import canonical_form
from otel_mas.record.content.fields import (
    arguments_of,
    declared,
    field_of,
    instance_dict,
    is_a,
    is_empty,
    items_of,
    own_fields,
    text_of,
)
from otel_mas.record.content.media import is_described, stand_in, without_media
from otel_mas.record.content.messages import MAX_MESSAGES, MessageAdapter
from otel_mas.record.content.provenance import (
    ACTOR_KEY,
    MODEL_PATH,
    Actor,
    MessageProvenance,
    current_actor,
    provenance_of,
)
from otel_mas.record.content.recent import RecentlyUsed
from otel_mas.record.content.snapshot import Copy, identifier, snapshot, to_json, type_name
from otel_mas.record.content.state import MessageList
from otel_mas.record.correlation import (
    BAGGAGE_KEY,
    CORRELATION,
    CORRELATION_NAMES,
    MAX_CHARACTERS,
    correlation_of,
    is_id,
)
from otel_mas.record.event_loop import LoopWatch
from otel_mas.record.failure import error_type
from otel_mas.record.functions import counters_of
from otel_mas.record.guard import caught, guarded
from otel_mas.record.pipeline.span_data import SpanData
from otel_mas.record.recorder import Recorder, recorder
from otel_mas.record.recording_context import (
    RECORDED_SPAN_KEY,
    SPAN_KEY,
    SUPPRESSED,
    recording_context,
    restore_context,
)
from otel_mas.record.sdk.lazy_span import interned, recorded_attributes
from otel_mas.record.sdk.message_spans import pulled

__all__ = [
    "ACTOR_KEY",
    "BAGGAGE_KEY",
    "CORRELATION",
    "CORRELATION_NAMES",
    "MAX_CHARACTERS",
    "MAX_MESSAGES",
    "MODEL_PATH",
    "RECORDED_SPAN_KEY",
    "SPAN_KEY",
    "SUPPRESSED",
    "Actor",
    "Cause",
    "Copy",
    "LoopWatch",
    "MessageAdapter",
    "MessageList",
    "MessageProvenance",
    "RecentlyUsed",
    "Recorder",
    "SpanData",
    "arguments_of",
    "canonical_form",
    "caught",
    "correlation_of",
    "counters_of",
    "current_actor",
    "declared",
    "error_type",
    "field_of",
    "guarded",
    "identifier",
    "instance_dict",
    "interned",
    "is_a",
    "is_described",
    "is_empty",
    "is_id",
    "items_of",
    "own_fields",
    "provenance_of",
    "pulled",
    "recorded_attributes",
    "recorder",
    "recording_context",
    "restore_context",
    "snapshot",
    "stand_in",
    "text_of",
    "to_json",
    "type_name",
    "without_media",
]
