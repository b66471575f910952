"""Runs that follow a message which the app pulled out of a queue: no span is current then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import NonRecordingSpan, set_span_in_context

from otel_mas.record import Cause, pulled
from otel_mas.semconv import LinkKind

if TYPE_CHECKING:
    from opentelemetry.context import Context


def origin_of_run() -> tuple[Context | None, list[Cause]]:
    """Parent context and causes of a run: the RECEIVE of the message; of a batch no parent, and the RECEIVE of each."""
    received = pulled()
    causes = [Cause(context, LinkKind.MESSAGE) for context in received]
    parent = set_span_in_context(NonRecordingSpan(received[0])) if len(received) == 1 else None
    return parent, causes


__all__ = ["origin_of_run"]
