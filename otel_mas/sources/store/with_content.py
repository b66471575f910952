"""Spans of a store with the content that it keeps beside them, as they leave over OTLP."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from otel_mas.model import Span
from otel_mas.otlp.framing import traces_data as encoded
from otel_mas.sources.traces import traces, traces_data
from otel_mas.store.log_reader import LogReader

_WHOLE = 2**31
"""Bytes of messages in an attribute: more than any has."""


def spans_with_content(path: str, trace_ids: Iterable[str]) -> list[Span]:
    """The ended spans of these traces of a store, one trace after the other, in start order."""
    with closing(LogReader(path)) as reader:
        read = (traces_data(encoded(reader.trace(trace_id, _WHOLE))).resource_spans for trace_id in trace_ids)
        return [span for messages in read for trace in traces(messages) for span in trace.spans]


__all__ = ["spans_with_content"]
