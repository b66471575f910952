"""Types that cross between rooms: spans, links, traces, messages, costs. Frozen dataclasses with slots, no I/O."""

from otel_mas.model.span import (
    AttributeValue,
    Event,
    Link,
    Resource,
    Scope,
    Span,
    SpanBody,
    SpanKind,
    StatusCode,
)
from otel_mas.model.status import ENDED, STATUSES
from otel_mas.model.summary import Tally
from otel_mas.model.table import NOT_HERE, LinkTable, Listed, SpanTable
from otel_mas.model.trace import Content, Message, MessageRef, PartialList, Query, RunSummary, Trace, TraceSummary

__all__ = [
    "ENDED",
    "NOT_HERE",
    "STATUSES",
    "AttributeValue",
    "Content",
    "Event",
    "Link",
    "LinkTable",
    "Listed",
    "Message",
    "MessageRef",
    "PartialList",
    "Query",
    "Resource",
    "RunSummary",
    "Scope",
    "Span",
    "SpanBody",
    "SpanKind",
    "SpanTable",
    "StatusCode",
    "Tally",
    "Trace",
    "TraceSummary",
]
