"""Hooks into LangGraph, LangChain and thread pools; marks in the app's code; the switch for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_mas.instrumentation.instrumentor import OtelMasInstrumentor

__all__ = ["OtelMasInstrumentor"]


def __getattr__(name: str) -> Any:
    # Lazy: its base class loads more than all the rest of recording, and only `opentelemetry-instrument` needs it.
    if name == "OtelMasInstrumentor":
        from otel_mas.instrumentation.instrumentor import OtelMasInstrumentor

        return OtelMasInstrumentor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
