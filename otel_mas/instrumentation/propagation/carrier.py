"""The current context as a few short texts, for messages of protocols without headers, such as those of a WebSocket."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import propagate
from opentelemetry.trace import get_current_span

from otel_mas.instrumentation.propagation.baggage import sending_to
from otel_mas.record import RECORDED_SPAN_KEY, caught, guarded, recorder, restore_context

if TYPE_CHECKING:
    from contextvars import Token

    from opentelemetry.context import Context


def inject(host: str | None = None) -> dict[str, str]:
    """The current span and what the run belongs to, as the propagators write them: `traceparent`, `baggage`.

    Args:
        host: the host that gets it. The ids of `correlation` are there only if it is one of OTEL_MAS_BAGGAGE_HOSTS.

    Returns:
        Texts by name, to be sent along with a message. Empty while recording is off.
    """
    carrier: dict[str, str] = {}
    try:
        if recorder().active:
            context = otel_context.get_current() if host is None else sending_to(host)
            propagate.inject(carrier, context)
    except Exception as error:
        caught("inject", error)
    return carrier


class Extracted:
    """The block that runs in the context of a message's sender, for `with`."""

    def __init__(self, carrier: Mapping[str, Any]) -> None:
        self._carrier = carrier
        self._token: Token[Context] | None = None

    def __enter__(self) -> None:
        self._token = self._begin() if recorder().active else None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        token, self._token = self._token, None
        restore_context(token)

    @guarded("extract")
    def _begin(self) -> Any:
        given = self._carrier if isinstance(self._carrier, Mapping) else {}
        texts = {name: text for name in propagate.get_global_textmap().fields if type(text := given.get(name)) is str}
        here = otel_context.get_current()
        context = propagate.extract(texts, here)
        span = get_current_span(context)
        if span is not get_current_span(here):
            context = otel_context.set_value(RECORDED_SPAN_KEY, span, context)
        return otel_context.attach(context)


def extract(carrier: Mapping[str, Any]) -> Extracted:
    """Run a `with` block inside of the span that sent a message: what it records is in the sender's trace.

    Args:
        carrier: the message, or the part of it, that has the result of the sender's `inject` among its items, or what
            another OpenTelemetry SDK injected. Without any of that, the block runs as it would without this.
    """
    return Extracted(carrier)


__all__ = ["Extracted", "extract", "inject"]
