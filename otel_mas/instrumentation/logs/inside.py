"""The recorded span around a log call, unless the call is made by what records it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context

from otel_mas.record import SPAN_KEY, SUPPRESSED

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_here = threading.local()


def enter() -> Span | None:
    """The current span where it is recorded, to be left by `leave`. None in between: a message's `__str__` may log."""
    context = otel_context.get_current()
    span: Any = context.get(SPAN_KEY)
    if span is None or context.get(SUPPRESSED) or getattr(_here, "busy", False) or not span.is_recording():
        return None
    _here.busy = True
    return span  # type: ignore[no-any-return]


def leave() -> None:
    """End what `enter` began."""
    _here.busy = False


@contextmanager
def recorded_span() -> Iterator[Span | None]:
    """The current span where it is recorded, for a block."""
    span = enter()
    try:
        yield span
    finally:
        if span is not None:
            leave()
