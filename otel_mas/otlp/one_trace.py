"""Spans of several traces as spans of one, for programs that show one trace at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from otel_mas.otlp.encode import key_value
from otel_mas.otlp.framing import LogRow
from otel_mas.otlp.nesting import parsed
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

_OURS = "mas."
"""Beginning of the names of attributes that hold ids of other spans."""


class OneTrace:
    """Gives spans the id of the first of some traces, also where their links and our attributes name the others.

    Args:
        trace_ids: hex, the first one first. Span ids stay as they are.
        causes: by effect the causes that spans name in another way than by a link, with their kinds, such as the pause
            that a resume in another process belongs to. They become links.
    """

    def __init__(self, trace_ids: Sequence[str], causes: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self._causes = causes
        self._first = trace_ids[0]
        self._others = tuple(trace_ids[1:])
        self._encoded = {bytes.fromhex(one) for one in trace_ids}

    def row(self, row: LogRow) -> LogRow:
        """Raises ValueError where its body is no OTLP span."""
        from opentelemetry.proto.common.v1.common_pb2 import KeyValue
        from opentelemetry.proto.trace.v1.trace_pb2 import Span

        span: Span = parsed(Span(), row.body)
        span.trace_id = bytes.fromhex(self._first)
        for link in span.links:
            if link.trace_id in self._encoded:
                link.trace_id = span.trace_id
        for text in _texts(span.attributes):
            for other in self._others:
                if other in text.string_value:
                    text.string_value = text.string_value.replace(other, self._first)
        for cause, kind in self._causes.get(span.span_id.hex(), ()):
            link = span.links.add(trace_id=span.trace_id, span_id=bytes.fromhex(cause))
            link.attributes.append(KeyValue.FromString(key_value(names.MAS_LINK_KIND, kind)))
        return row._replace(body=span.SerializeToString())


def _texts(attributes: Sequence[KeyValue]) -> Iterator[AnyValue]:
    """The texts in our attributes."""
    for pair in attributes:
        if pair.key.startswith(_OURS):
            yield from pair.value.array_value.values if pair.value.HasField("array_value") else (pair.value,)


__all__ = ["OneTrace"]
