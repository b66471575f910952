"""Interface for instrumentation that completes spans which other instrumentation makes."""

from __future__ import annotations

from typing import Any, Protocol

from otel_mas.record.pipeline.span_data import SpanData


class ForeignSpans(Protocol):
    """Selects and completes some of the spans of other instrumentation."""

    def started(self, span: Any) -> None:
        """Note a span that starts, on the thread and in the context in which it does."""

    def enrich(self, span: SpanData) -> None:
        """Complete an ended span; an `Enricher`."""

    def finished(self) -> None:
        """End: recording stops in this process."""


__all__ = ["ForeignSpans"]
