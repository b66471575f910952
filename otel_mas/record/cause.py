"""A cause of a span, and the attributes that repeat its links."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext

    from otel_mas.semconv.enums import LinkKind


class Cause(NamedTuple):
    """A span that made another one happen, and by which mechanism."""

    context: SpanContext
    kind: LinkKind


def cause_attributes(causes: Iterable[Cause]) -> dict[str, tuple[str, ...]]:
    """The two arrays that name a span's causes, for backends that lose the attributes of links."""
    return {
        names.MAS_CAUSE_SPANS: tuple([f"{context[0]:032x}-{context[1]:016x}" for context, _ in causes]),
        names.MAS_CAUSE_KINDS: tuple([kind._value_ for _, kind in causes]),
    }


__all__ = ["Cause", "cause_attributes"]
