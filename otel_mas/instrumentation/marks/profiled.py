"""`profiled`: count and time the calls of a function, without a span for each.

The counters are kept on the span of ours around the call, and recorded when that ends. A frame per call says how much
of it was covered by profiled functions that it called, itself or in tasks that it started: a `ContextVar` leads to it,
which is set for each step of a coroutine or generator, and so right however they interleave.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import AsyncIterator, Callable, Generator
from contextvars import ContextVar
from time import perf_counter_ns as clock
from typing import Any, TypeVar, overload

from opentelemetry import context as otel_context

from otel_mas.record import RECORDED_SPAN_KEY, caught, counters_of, recorder

Function = TypeVar("Function", bound=Callable[..., Any])

_Frame = list[int]
"""Counters of an open call. 0: how many profiled calls below it are open; 1: for how many ns some were; 2: since when
some are. A list with plain indices, since each call makes one."""

_frame: ContextVar[_Frame | None] = ContextVar("otel-mas profiled call", default=None)
_recorder = recorder()
_Coroutine = types.CoroutineType
# The variable behind the API's `get_current`, which takes four calls to read it.
_context: Callable[[], Any] = getattr(
    getattr(getattr(otel_context, "_RUNTIME_CONTEXT", None), "_current_context", None), "get", otel_context.get_current
)


@overload
def profiled(function: Function, /) -> Function: ...
@overload
def profiled(*, name: str | None = None) -> Callable[[Function], Function]: ...
def profiled(function: Any = None, /, *, name: str | None = None) -> Any:
    """Count and time the calls of a function, coroutine function, generator or async generator.

    Calls inside a recorded task, agent, tool or run are added up by function and recorded with its span when it ends:
    calls, errors, total, self, running (not waiting in an `await`) and longest time. Other calls are not counted.
    `otel-mas profile` shows them. A call that has not ended when the span does is not counted.

    Args:
        function: `@profiled`; or `@profiled(name=...)`.
        name: by default the qualified name, with its module.
    """
    if function is None:
        return functools.partial(_profiled, name=name)
    return _profiled(function, name)


def _profiled(function: Any, name: str | None) -> Any:
    if isinstance(function, staticmethod | classmethod):
        return type(function)(_profiled(function.__func__, name))
    if name is None:
        qualified = getattr(function, "__qualname__", type(function).__qualname__)
        name = f"{getattr(function, '__module__', None) or '?'}.{qualified}"
    kind = inspect.unwrap(function)
    if inspect.isasyncgenfunction(kind):
        wrap: Callable[..., Any] = _async_generator
    elif inspect.isgeneratorfunction(kind):
        wrap = _generator
    elif inspect.iscoroutinefunction(kind):
        wrap = _coroutine
    else:
        wrap = _plain
    return wrap(function, name)


def _plain(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    outer_frame, enter, leave = _frame.get, _frame.set, _frame.reset

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not _recorder.active:
            return function(*args, **kwargs)
        span = _context().get(RECORDED_SPAN_KEY)
        if span is None:
            return function(*args, **kwargs)
        outer, frame, failed = outer_frame(), [0, 0, 0], 1
        token = enter(frame)
        began = clock()
        if outer is not None:
            if not outer[0]:
                outer[2] = began
            outer[0] += 1
        try:
            result = function(*args, **kwargs)
            failed = 0
            return result
        finally:
            ended = clock()
            leave(token)
            _count(span, name, outer, frame, ended, ended - began, ended - began, failed)

    return call


def _coroutine(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    outer_frame, enter, leave = _frame.get, _frame.set, _frame.reset

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        if not _recorder.active:
            return await function(*args, **kwargs)
        span = _context().get(RECORDED_SPAN_KEY)
        if span is None:
            return await function(*args, **kwargs)
        coroutine = function(*args, **kwargs)
        if coroutine.__class__ is not _Coroutine:
            coroutine = _awaited(coroutine)
        outer, frame = outer_frame(), [0, 0, 0]
        # The first step is taken here: most calls of small coroutines take no other.
        token = enter(frame)
        began = clock()
        if outer is not None:
            if not outer[0]:
                outer[2] = began
            outer[0] += 1
        try:
            awaited = coroutine.send(None)
        except StopIteration as stop:
            ended = clock()
            leave(token)
            took = ended - began
            _count(span, name, outer, frame, ended, took, took, 0)
            return stop.value
        except BaseException:
            ended = clock()
            leave(token)
            _count(span, name, outer, frame, ended, ended - began, ended - began, 1)
            raise
        running = [clock() - began]
        leave(token)
        failed = 1
        try:
            result = await _steps(coroutine, frame, running, awaited)
            failed = 0
            return result
        finally:
            ended = clock()
            _count(span, name, outer, frame, ended, ended - began, running[0], failed)

    return call


async def _awaited(awaitable: Any) -> Any:
    return await awaitable


_FIRST = object()


@types.coroutine
def _steps(coroutine: Any, frame: _Frame, running: list[int], awaited: Any = _FIRST) -> Generator[Any, Any, Any]:
    """Drive a coroutine to its end, with the frame in place for each step; adds the time of the steps to `running`."""
    step, value = coroutine.send, None
    while True:
        if awaited is not _FIRST:
            try:
                value = yield awaited
                step = coroutine.send
            except BaseException as error:
                step, value = coroutine.throw, error
        token = _frame.set(frame)
        began = clock()
        try:
            awaited = step(value)
        except StopIteration as stop:
            return stop.value
        finally:
            running[0] += clock() - began
            _frame.reset(token)


def _count(
    span: Any, name: str, outer: _Frame | None, frame: _Frame, ended: int, took: int, running: int, failed: int
) -> None:
    """Count a call that has ended."""
    # No other thread gets in between two calls of Python functions, under CPython with its global lock.
    if outer is not None:
        outer[0] -= 1
        if not outer[0]:
            outer[1] += ended - outer[2]
    try:
        counters = span.functions[name]
    except (AttributeError, KeyError, TypeError):
        try:
            counters = counters_of(span, name)
        except Exception as error:
            caught("profiled", error)
            return
        if counters is None:
            return
    own = took - frame[1]
    if frame[0]:
        own -= ended - frame[2]
    counters[0] += 1
    if failed:
        counters[1] += 1
    counters[2] += took
    if own > 0:
        counters[3] += own
    counters[4] += running
    if took > counters[5]:
        counters[5] = took


class _Steps:
    """A call of a generator: the time of its steps, without what its reader does in between."""

    __slots__ = ("_began", "_name", "_outer", "_span", "frame", "running", "total")

    def __init__(self, span: Any, name: str) -> None:
        self._span, self._name = span, name
        self._outer: _Frame | None = None
        self.frame = [0, 0, 0]
        self.running = [0]
        self.total = 0
        self._began = 0

    @classmethod
    def of(cls, name: str) -> _Steps | None:
        """A call that begins now; None where nothing is recorded."""
        span = _context().get(RECORDED_SPAN_KEY) if _recorder.active else None
        return None if span is None else cls(span, name)

    def begin(self) -> None:
        """Begin a step; the reader may be in another profiled call each time."""
        outer = self._outer = _frame.get()
        self._began = clock()
        if outer is not None:
            if not outer[0]:
                outer[2] = self._began
            outer[0] += 1

    def end(self) -> None:
        """End a step."""
        ended, outer = clock(), self._outer
        self.total += ended - self._began
        if outer is not None:
            outer[0] -= 1
            if not outer[0]:
                outer[1] += ended - outer[2]

    def count(self, failed: int) -> None:
        """Count the call, which has ended."""
        _count(self._span, self._name, None, self.frame, clock(), self.total, self.running[0], failed)


def _generator(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        steps = _Steps.of(name)
        if steps is None:
            return (yield from function(*args, **kwargs))
        generator, failed = function(*args, **kwargs), 1
        step, value = generator.send, None
        try:
            while True:
                try:
                    item = _step(steps, step, value)
                except StopIteration as stop:
                    failed = 0
                    return stop.value
                try:
                    step, value = generator.send, (yield item)
                except GeneratorExit:
                    failed = 0
                    _step(steps, generator.close)
                    raise
                except BaseException as error:
                    step, value = generator.throw, error
        finally:
            steps.count(failed)

    return call


def _step(steps: _Steps, step: Callable[..., Any], *value: Any) -> Any:
    steps.begin()
    token = _frame.set(steps.frame)
    began = clock()
    try:
        return step(*value)
    finally:
        steps.running[0] += clock() - began
        _frame.reset(token)
        steps.end()


def _async_generator(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        steps, failed = _Steps.of(name), 1
        generator = function(*args, **kwargs)
        step, value = generator.asend, None
        try:
            while True:
                try:
                    item = await _async_step(steps, step, value)
                except StopAsyncIteration:
                    failed = 0
                    return
                try:
                    step, value = generator.asend, (yield item)
                except GeneratorExit:
                    failed = 0
                    await _async_step(steps, generator.aclose)
                    raise
                except BaseException as error:
                    step, value = generator.athrow, error
        finally:
            if steps is not None:
                steps.count(failed)

    return call


async def _async_step(steps: _Steps | None, step: Callable[..., Any], *value: Any) -> Any:
    if steps is None:
        return await step(*value)
    steps.begin()
    try:
        return await _steps(step(*value), steps.frame, steps.running)
    finally:
        steps.end()


__all__ = ["profiled"]
