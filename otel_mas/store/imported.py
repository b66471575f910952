"""Privacy of imported spans: the treatment of what is recorded, for OTLP messages of others."""

from __future__ import annotations

from typing import Any

from otel_mas.otlp.decode import decode_value
from otel_mas.otlp.encode import key_value
from otel_mas.otlp.nesting import parsed
from otel_mas.privacy.stored import STRIPPED, Privacy
from otel_mas.semconv import attributes as names


class ImportedPrivacy:
    """Changes OTLP messages: their attributes, names and texts, never their ids.

    Args:
        privacy: decides what is stored; what it fails on is left out.
    """

    def __init__(self, privacy: Privacy) -> None:
        self._privacy = privacy

    def drain_counts(self) -> dict[str, int]:
        """Return the number of values taken out since the last call, by rule or kind."""
        return self._privacy.drain_counts()

    def resource(self, encoded: bytes) -> bytes:
        """Treat an OTLP `Resource`."""
        from opentelemetry.proto.resource.v1 import resource_pb2

        resource = parsed(resource_pb2.Resource(), encoded)
        self._attributes(resource.attributes)
        return bytes(resource.SerializeToString())

    def scope(self, encoded: bytes) -> bytes:
        """Treat an OTLP `InstrumentationScope`."""
        from opentelemetry.proto.common.v1 import common_pb2

        scope = parsed(common_pb2.InstrumentationScope(), encoded)
        scope.name, scope.version = self._text(scope.name), self._text(scope.version)
        self._attributes(scope.attributes)
        return bytes(scope.SerializeToString())

    def span(self, encoded: bytes) -> Any:
        """Decode an OTLP `Span` and treat it."""
        from opentelemetry.proto.trace.v1 import trace_pb2

        span = parsed(trace_pb2.Span(), encoded)
        span.name = self._text(span.name)
        if span.trace_state:
            span.trace_state = self._text(span.trace_state)
        if span.status.message:
            span.status.message = self._description(span.status.message)
        self._attributes(span.attributes)
        for event in span.events:
            event.name = self._text(event.name)
            self._attributes(event.attributes)
        for link in span.links:
            if link.trace_state:
                link.trace_state = self._text(link.trace_state)
            self._attributes(link.attributes)
        return span

    def log_record(self, record: Any) -> Any:
        """Treat a log record, which is plain; what is left of it where that fails is its time and severity."""
        try:
            return self._privacy.value(names.MAS_LOG_RECORDS, record)
        except Exception:
            kept = {name: record[name] for name in ("time_ns", "severity", "severity_number")}
            return {**kept, "message": "(withheld)"}

    def _attributes(self, pairs: Any) -> None:
        kept = []
        for pair in pairs:
            value = decode_value(pair.value)
            try:
                name, stored = self._privacy.name(pair.key), self._privacy.attribute(pair.key, value)
                if stored is STRIPPED:
                    continue
                if name != pair.key or stored is not value:
                    pair.ParseFromString(key_value(name, stored))
            except Exception:
                continue
            kept.append(pair)
        if len(kept) < len(pairs):
            copies = [type(pair).FromString(pair.SerializeToString()) for pair in kept]
            del pairs[:]
            pairs.extend(copies)

    def _text(self, text: str) -> str:
        try:
            return self._privacy.text(text)
        except Exception:
            return "(withheld)"

    def _description(self, text: str) -> str:
        try:
            return self._privacy.description(text)
        except Exception:
            return "(withheld)"
