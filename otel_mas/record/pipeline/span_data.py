"""The one form in which every span, ended or still open, reaches the writer's thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status

    from otel_mas.record.cause import Cause


@dataclass(slots=True, eq=False)
class SpanData:
    """A span's data, owned by the writer's thread; the SDK's objects are shared. Times are ns since the epoch, or 0."""

    context: SpanContext
    parent: SpanContext | None
    name: str
    kind: SpanKind
    start_time: int
    end_time: int
    attributes: dict[str, Any]
    """A copy, which enrichers may change."""
    causes: tuple[Cause, ...]
    """All of them, whatever the SDK's limits left on the span."""
    status: Status
    resource: Resource
    scope: InstrumentationScope | None
    size: int
    """About how many bytes it keeps alive."""
    dropped_attributes: int = 0
    events: Sequence[Event] = ()
    links: Sequence[Link] = ()
    messages: Sequence[tuple[int, Sequence[str]]] = ()
    """Directions (0 consumed, 1 produced) and digests, where they do not travel apart from the span."""
    changes: tuple[tuple[str, ...], tuple[Any, ...]] | None = None
    """Names and values of what it changed in a state, likewise."""
    columns: Mapping[str, Any] | None = None
    """Attributes that only the store's columns get."""

    @classmethod
    def of_sdk(cls, span: Any, causes: tuple[Cause, ...] = (), size: int = 0) -> SpanData:
        """The data of a span of the SDK.

        Its own containers are read, since its properties would cost as much as the encoding. Attributes are copied in
        one step of C: of an open span, the app may set some meanwhile.
        """
        attributes = span._attributes
        return cls(
            span._context,
            span._parent,
            span._name,
            span._kind,
            span._start_time or 0,
            span._end_time or 0,
            dict(getattr(attributes, "_dict", attributes) or ()),
            causes,
            span._status,
            span._resource,
            span._instrumentation_scope,
            size,
            getattr(attributes, "dropped", 0),
            span._events,
            span._links,
        )


Enricher = Callable[[SpanData], None]
"""Completes an ended span on the writer's thread, before it is encoded: adds to its `attributes`, or sets `columns`."""

__all__ = ["Enricher", "SpanData"]
