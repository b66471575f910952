"""The one form in which every span, ended or still open, reaches the writer's thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status

    from otel_mas.record.cause import Cause


class SpanData:
    """A span's data, owned by the writer's thread. Times are nanoseconds since the Unix epoch, 0 where unknown."""

    __slots__ = (
        "attributes",
        "causes",
        "changes",
        "columns",
        "context",
        "dropped_attributes",
        "end_time",
        "events",
        "kind",
        "links",
        "messages",
        "name",
        "parent",
        "resource",
        "scope",
        "size",
        "start_time",
        "status",
    )

    def __init__(
        self,
        context: SpanContext,
        parent: SpanContext | None,
        name: str,
        kind: SpanKind,
        start_time: int | None,
        end_time: int | None,
        attributes: dict[str, Any],
        causes: tuple[Cause, ...],
        status: Status,
        resource: Resource,
        scope: InstrumentationScope | None,
        size: int = 0,
        *,
        dropped_attributes: int = 0,
        events: Sequence[Event] = (),
        links: Sequence[Link] = (),
        messages: Sequence[tuple[int, Sequence[str]]] = (),
        changes: tuple[tuple[str, ...], tuple[Any, ...]] | None = None,
    ) -> None:
        """Make it of the span's parts.

        Args:
            context, parent, name, kind, start_time, end_time, status, resource, scope, events, links: as in the SDK.
            attributes: a copy, which enrichers may change.
            causes: all of them, whatever the SDK's limits left on the span.
            size: about how many bytes it keeps alive.
            dropped_attributes: how many the SDK's limits took.
            messages: directions (0 consumed, 1 produced) and digests, where they do not travel apart from the span.
            changes: names and values of what it changed in a state, likewise.
        """
        self.context = context
        self.parent = parent
        self.name = name
        self.kind = kind
        self.start_time = start_time or 0
        self.end_time = end_time or 0
        self.attributes = attributes
        self.causes = causes
        self.status = status
        self.resource = resource
        self.scope = scope
        self.size = size
        self.dropped_attributes = dropped_attributes
        self.events = events
        self.links = links
        self.messages = messages
        self.changes = changes
        self.columns: Mapping[str, Any] | None = None
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
            span._start_time,
            span._end_time,
            dict(getattr(attributes, "_dict", attributes) or ()),
            causes,
            span._status,
            span._resource,
            span._instrumentation_scope,
            size,
            dropped_attributes=getattr(attributes, "dropped", 0),
            events=span._events,
            links=span._links,
        )


Enricher = Callable[[SpanData], None]
"""Completes an ended span on the writer's thread, before it is encoded: adds to its `attributes`, or sets `columns`."""

__all__ = ["Enricher", "SpanData"]
