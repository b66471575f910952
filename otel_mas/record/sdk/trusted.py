"""Spans that take what our instrumentation says as it is: it needs no cleaning, and nobody else can see it yet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from otel_mas.record.cause import Cause

MESSAGE_ATTRIBUTES = ((0, names.MAS_INPUT_MESSAGES), (1, names.MAS_OUTPUT_MESSAGES))
"""Where a span names the messages that it consumed (0) and produced (1), by digest."""
MESSAGE_REF_BYTES = 100  # what a reference to a message weighs


class Trusted:
    """What the recorder knows such a span by, without loading the SDK.

    A value that is said to it is a str, int, float or bool, or a tuple of them, and nobody changes it afterwards.
    """

    said: dict[str, Any]
    """All attributes but the two that follow from the causes."""
    causes: tuple[Cause, ...]
    touched: bool
    """Somebody else than us may have written to it."""
    changes: tuple[tuple[str, ...], tuple[Any, ...]] | None
    """Names and values of what it changed in a state, where that waits with the span, not beside it."""
    size: int
    """About how many bytes it keeps alive, in full once it has ended."""

    @property
    def origin(self) -> tuple[Resource, InstrumentationScope]:
        """Its resource and its scope."""
        raise NotImplementedError

    def say(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes; nothing once the span has ended."""
        raise NotImplementedError


@lru_cache(maxsize=1024)
def interned(*texts: str) -> tuple[str, ...]:
    """The one tuple of these texts, for what is the same on span after span.

    The collector walks whatever waits in the queue: each object that a span keeps alive costs the app 1 to 2 µs.
    """
    return texts


__all__ = ["MESSAGE_ATTRIBUTES", "MESSAGE_REF_BYTES", "Trusted", "interned"]
