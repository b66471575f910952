"""Span processor, queue and writer thread; instrumentation uses only what is exported here."""

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
from otel_mas.record.content.media import without_media
from otel_mas.record.content.messages import MAX_MESSAGES, MessageAdapter
from otel_mas.record.content.provenance import EXCHANGES, MODEL, PARTICIPANT, Exchange, Participant, participant
from otel_mas.record.content.recent import RecentlyUsed
from otel_mas.record.content.snapshot import Copy, identifier, snapshot, to_json
from otel_mas.record.content.state import MessageList
from otel_mas.record.failure import error_type
from otel_mas.record.guard import caught, guarded
from otel_mas.record.inside import INSIDE, SPAN, inside, restore
from otel_mas.record.recorder import Recorder, recorder
from otel_mas.record.sdk.trusted import one_of

__all__ = [
    "EXCHANGES",
    "INSIDE",
    "MAX_MESSAGES",
    "MODEL",
    "PARTICIPANT",
    "SPAN",
    "Cause",
    "Copy",
    "Exchange",
    "MessageAdapter",
    "MessageList",
    "Participant",
    "RecentlyUsed",
    "Recorder",
    "arguments_of",
    "canonical_form",
    "caught",
    "declared",
    "error_type",
    "field_of",
    "guarded",
    "identifier",
    "inside",
    "instance_dict",
    "is_a",
    "is_empty",
    "items_of",
    "one_of",
    "own_fields",
    "participant",
    "recorder",
    "restore",
    "snapshot",
    "text_of",
    "to_json",
    "without_media",
]
