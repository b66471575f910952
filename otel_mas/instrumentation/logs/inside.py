"""The recorded span around a log call, unless the call is made by what records it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context

from otel_mas.record import SPAN_KEY

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_SUPPRESS: Final = "suppress_instrumentation"  # set on the writer's thread, and around exports
_here = threading.local()


@contextmanager
def recorded_span() -> Iterator[Span | None]:
    """The current span where it is recorded. None inside of another call of this: a message's `__str__` may log."""
    context = otel_context.get_current()
    span: Any = context.get(SPAN_KEY)
    if span is None or context.get(_SUPPRESS) or getattr(_here, "busy", False) or not span.is_recording():
        yield None
        return
    _here.busy = True
    try:
        yield span
    finally:
        _here.busy = False
