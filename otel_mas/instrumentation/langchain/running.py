"""The app's code running inside a span: current for everything that it starts, in its own tasks and threads too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

from otel_mas.instrumentation.endings import record_ending
from otel_mas.record import recording_context, restore_context

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context
    from opentelemetry.trace import Span


class Running:
    """A span around one call of a tool or retriever, current until the call is over."""

    __slots__ = ("_token", "name", "span")

    def __init__(self, name: str, span: Span) -> None:
        self.name = name
        self.span = span
        self._token: Token[Context] = otel_context.attach(recording_context(span))

    def end(self, error: BaseException | None) -> None:
        """End, with an error if there was one."""
        restore_context(self._token)
        try:
            if error is not None:
                record_ending(self.span, error)
        finally:
            self.span.end()


__all__ = ["Running"]
