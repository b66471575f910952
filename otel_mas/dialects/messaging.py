"""Queues in the words of their instrumentation: names as OpenTelemetry has them now, or had them."""

from __future__ import annotations

from typing import Any, Final, Protocol

from otel_mas.semconv import attributes as names

_DESTINATIONS: Final = (names.MESSAGING_DESTINATION_NAME, "messaging.destination")


class Attributed(Protocol):
    """A span, or its attributes."""

    def get(self, name: str, /) -> Any: ...


def queue_name(span: Attributed) -> str | None:
    """The queue, topic or exchange that the message of a span went through, as far as the span says."""
    found = next((name for key in _DESTINATIONS if (name := span.get(key))), None)
    return found.strip(",") if isinstance(found, str) else None


__all__ = ["queue_name"]
