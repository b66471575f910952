"""Context propagation to threads and thread pools: work that is started inside a recorded span runs inside of it.

Work that belongs to a user, a conversation and the like (`otel_mas.correlation`) does so there, too.

Other threads are left alone. OpenTelemetry's context is carried, not the app's own context variables.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextvars import Context as Variables
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.record import RECORDED_SPAN_KEY, caught, correlation_of, restore_context

Original = Callable[..., Any]

# Threads that serve all code, and are started by the first that comes. Work that is submitted to them is carried.
_SERVANTS: Final = ("concurrent.futures.", "multiprocessing.", "anyio.", "opentelemetry.", "otel_mas.", "langsmith.")


def start(original: Original) -> Original:
    """`threading.Thread.start`, which a `Timer` has as well."""

    @functools.wraps(original)
    def start(self: Any, *args: Any, **kwargs: Any) -> Any:
        context = otel_context.get_current()
        if not _is_recorded(context) or not _carry(self, context):
            return original(self, *args, **kwargs)
        try:
            return original(self, *args, **kwargs)
        except BaseException:
            vars(self).pop("run", None)  # it never ran
            raise

    return start


def submit(original: Original) -> Original:
    """`ThreadPoolExecutor.submit`, by which `map` and asyncio's `run_in_executor` go."""

    @functools.wraps(original)
    def submit(self: Any, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        context = otel_context.get_current()
        if not _is_recorded(context) or _has_context(fn) or _by_opentelemetry() or _in_interpreters(self):
            return original(self, fn, *args, **kwargs)
        return original(self, functools.partial(run_inside, context, fn), *args, **kwargs)

    return submit


def run_inside(context: Context, function: Original, /, *args: Any, **kwargs: Any) -> Any:
    """Call a function in an OTel context."""
    token = otel_context.attach(context)
    try:
        return function(*args, **kwargs)
    finally:
        restore_context(token)


def serves(worker: Any) -> bool:
    """Whether a thread or process serves all code, not only the code that starts it."""
    code = getattr(worker, "_target", None) or type(worker)
    return f"{getattr(code, '__module__', '')}.".startswith(_SERVANTS)


def _is_recorded(context: Context) -> bool:
    return RECORDED_SPAN_KEY in context or bool(correlation_of(context))


def _carry(thread: Any, context: Context) -> bool:
    """Make the thread run in `context`: its `run` is replaced until it is called."""
    try:
        if serves(thread) or "run" in vars(thread) or getattr(thread, "_context", None) is not None:
            return False
        if _by_opentelemetry() and type(thread).run.__qualname__ in ("Thread.run", "Timer.run"):
            return False

        def run() -> None:
            del thread.run
            run_inside(context, thread.run)

        thread.run = run
    except Exception as error:
        caught("propagation: thread", error)
        return False
    return True


def _has_context(function: Any) -> bool:
    """Whether it is to run in a copy of its caller's context: `asyncio.to_thread` and LangChain's executors."""
    if type(function) is functools.partial:
        function = function.func
    return type(getattr(function, "__self__", None)) is Variables


def _in_interpreters(executor: Any) -> bool:
    """Whether the executor's threads are other interpreters (Python 3.14), which take what can be pickled."""
    interpreters = sys.modules.get("concurrent.futures.interpreter")
    return interpreters is not None and isinstance(executor, interpreters.InterpreterPoolExecutor)


def _by_opentelemetry() -> bool:
    """Whether OpenTelemetry's own instrumentation of threads is on, which carries the same."""
    module = sys.modules.get("opentelemetry.instrumentation.threading")
    return module is not None and bool(module.ThreadingInstrumentor().is_instrumented_by_opentelemetry)


__all__ = ["run_inside", "serves", "start", "submit"]
