"""Keep our span current inside a task, when other instrumentation of LangChain attaches its own context there.

OpenLLMetry attaches one in LangChain's callbacks, and OTel's GenAI instrumentation around every step. Those contexts
are from the start of the workflow and lack our keys: every span that starts inside the task (ours, the app's, an HTTP
client's) would get a parent outside of it. So our keys are put into the contexts that they attach. Their own spans do
not need the context: they find their parents by LangChain's run ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import opentelemetry.context as context_api
from opentelemetry.context import Context

from otel_mas.instrumentation.langgraph.current import TASK_KEY
from otel_mas.record import RECORDED_SPAN_KEY, SPAN_KEY, caught

SCOPES = frozenset({"opentelemetry.instrumentation.langchain", "opentelemetry.instrumentation.genai.langchain"})
"""Instrumentation scopes of that instrumentation."""

_OURS = (SPAN_KEY, RECORDED_SPAN_KEY, TASK_KEY)

Attach = Callable[[Context], Any]
_original: Attach | None = None


def watch() -> None:
    """Check every context that is attached. OpenTelemetry's API has one place for that."""
    global _original
    if _original is not None:
        return
    runtime: Any = getattr(context_api, "_RUNTIME_CONTEXT", None)
    original = getattr(runtime, "attach", None)
    if original is None or not hasattr(runtime, "get_current"):
        return
    _original = original

    def attach(context: Context) -> Any:
        return original(_ours(context, runtime))

    runtime.attach = attach


def unwatch() -> None:
    """Leave contexts alone."""
    global _original
    runtime: Any = getattr(context_api, "_RUNTIME_CONTEXT", None)
    if _original is not None and "attach" in getattr(runtime, "__dict__", ()):
        del runtime.attach
    _original = None


def _ours(context: Context, runtime: Any) -> Context:
    try:
        scope = getattr(context.get(SPAN_KEY), "instrumentation_scope", None)
        if scope is None or scope.name not in SCOPES:
            return context
        current = runtime.get_current()
        if RECORDED_SPAN_KEY not in current:
            return context
        return Context({**context, **{key: current[key] for key in _OURS if key in current}})
    except Exception as error:
        caught("interop: attach", error)
        return context


__all__ = ["SCOPES", "unwatch", "watch"]
