"""State of a span of ours that becomes an SDK span only if somebody else reads or writes it. Does not load the SDK."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.record.cause import Cause
    from otel_mas.record.pipeline.span_data import SpanData

MESSAGE_ATTRIBUTES = ((0, names.MAS_INPUT_MESSAGES), (1, names.MAS_OUTPUT_MESSAGES))
"""Attributes with the digests of the messages that a span consumed (0) and produced (1)."""
MESSAGE_REF_BYTES = 100  # what a reference to a message weighs


class LazySpan:
    """Interface of such a span for recorder and queue."""

    own_attributes: dict[str, Any]
    """All attributes but the two that follow from the causes.

    Set by instrumentation without the SDK's checks: each is a str, int, float or bool or a tuple of them.
    """
    causes: tuple[Cause, ...]
    materialized: bool
    """Whether the SDK's containers exist, so that somebody else may have written to them."""
    changes: tuple[tuple[str, ...], tuple[Any, ...]] | None
    """Names and values of what it changed in a state."""
    functions: dict[str, list[int]] | None = None
    """Counters of profiled functions that ran in it (`record/functions.py`)."""
    size: int
    """About how many bytes it keeps alive, in full once it has ended."""

    def set_own_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Add to `own_attributes`; nothing once the span has ended."""
        raise NotImplementedError

    def key(self) -> tuple[int, int]:
        """The span's trace id and span id."""
        raise NotImplementedError

    def data(self) -> SpanData:
        """Return the span for the writer."""
        raise NotImplementedError


def recorded_attributes(span: Any) -> Mapping[str, Any]:
    """Attributes of any span, read without making an SDK span of a lazy one."""
    return span.own_attributes if isinstance(span, LazySpan) else getattr(span, "attributes", None) or {}


@lru_cache(maxsize=1024)
def interned(*texts: str) -> tuple[str, ...]:
    """The one tuple of these texts, for values that repeat on span after span.

    The garbage collector walks all that waits in the queue: each object that a span keeps alive costs 1 to 2 µs.
    """
    return texts


__all__ = ["MESSAGE_ATTRIBUTES", "MESSAGE_REF_BYTES", "LazySpan", "interned", "recorded_attributes"]
