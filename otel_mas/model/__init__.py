"""Types that cross between rooms: spans, links, traces, messages, costs; rules for summaries and channels. No I/O."""

from otel_mas.dialects import OWN_SCOPE
from otel_mas.model.changes import Changes
from otel_mas.model.evaluation import Evaluation, evaluation_of, is_from_outside, without_outside_evaluations
from otel_mas.model.faults import InjectedFault, injected_faults, never_occurred, without_faults
from otel_mas.model.finding import Finding, Severity, Undecided
from otel_mas.model.query import Query
from otel_mas.model.span import (
    BUDGET_EVENT,
    EXCEPTION_EVENT,
    FAULT_EVENT,
    STATE_EVENT,
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
from otel_mas.model.status import ENDED, STATUSES, TraceStatus
from otel_mas.model.summary import RunSummary, SummaryBuilder, TraceSummary
from otel_mas.model.table import NOT_HERE, LinkTable, ObjectSpanTable, SpanTable, clock_of, clocks_of, foreign_of
from otel_mas.model.trace import Content, Message, MessageRef, PartialList, Trace

__all__ = [
    "BUDGET_EVENT",
    "ENDED",
    "EXCEPTION_EVENT",
    "FAULT_EVENT",
    "NOT_HERE",
    "OWN_SCOPE",
    "STATE_EVENT",
    "STATUSES",
    "AttributeValue",
    "Changes",
    "Content",
    "Evaluation",
    "Event",
    "Finding",
    "InjectedFault",
    "Link",
    "LinkTable",
    "Message",
    "MessageRef",
    "ObjectSpanTable",
    "PartialList",
    "Query",
    "Resource",
    "RunSummary",
    "Scope",
    "Severity",
    "Span",
    "SpanBody",
    "SpanKind",
    "SpanTable",
    "StatusCode",
    "SummaryBuilder",
    "Trace",
    "TraceStatus",
    "TraceSummary",
    "Undecided",
    "clock_of",
    "clocks_of",
    "evaluation_of",
    "foreign_of",
    "injected_faults",
    "is_from_outside",
    "never_occurred",
    "without_faults",
    "without_outside_evaluations",
]
