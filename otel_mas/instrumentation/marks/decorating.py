"""Functions with a mark around each call: plain ones, coroutines, generators and async generators."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from typing import Any, Protocol, Self, TypeVar, cast

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.record import recorder, restore_context

Function = TypeVar("Function", bound=Callable[..., Any])
_BOUND = ("self", "cls")


class Mark(Protocol):
    """A mark, as far as a decorated function is concerned."""

    def for_call(self, name: str) -> Self: ...
    def begin(self) -> bool | None: ...
    def given(self, arguments: Mapping[str, Any]) -> None: ...
    def returned(self, result: Any) -> None: ...
    def end(self, error: BaseException | None = None) -> None: ...
    def context(self) -> Context: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exc_info: Any) -> None: ...


def decorated(function: Function, mark: Mark) -> Function:
    """The function, each of whose calls is one of `mark`."""
    sort = inspect.unwrap(function)
    if inspect.isasyncgenfunction(sort):
        wrap = _async_generator
    elif inspect.isgeneratorfunction(sort):
        wrap = _generator
    elif inspect.iscoroutinefunction(sort):
        wrap = _coroutine
    else:
        wrap = _plain
    return cast("Function", functools.wraps(function)(wrap(function, mark, Signature(function))))


class Signature:
    """Signature of a function: names of its parameters."""

    __slots__ = ("_bound", "_names", "name")

    def __init__(self, function: Callable[..., Any]) -> None:
        self.name: str = getattr(function, "__name__", type(function).__name__)
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):  # a builtin may not say
            parameters = {}.values()
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self._names = [parameter.name for parameter in parameters if parameter.kind in positional]
        self._bound = self._names[:1] in ([name] for name in _BOUND)

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name, without the object that a method is of."""
        named = dict(zip(self._names, args, strict=False))
        if self._bound:
            named.pop(self._names[0], None)
        for place, value in enumerate(args[len(self._names) :]):
            named[f"*{place}"] = value
        named.update(kwargs)
        return named


def _plain(function: Callable[..., Any], mark: Mark, signature: Signature) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        if not recorder().active:
            return function(*args, **kwargs)
        with mark.for_call(signature.name) as one:
            one.given(signature.arguments(args, kwargs))
            result = function(*args, **kwargs)
            one.returned(result)
        return result

    return call


def _coroutine(function: Callable[..., Any], mark: Mark, signature: Signature) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        if not recorder().active:
            return await function(*args, **kwargs)
        with mark.for_call(signature.name) as one:
            one.given(signature.arguments(args, kwargs))
            result = await function(*args, **kwargs)
            one.returned(result)
        return result

    return call


# A generator's span is current while its own code runs, and not for whoever reads it: its context is put in place for
# each step and taken away before the item is handed out.


def _generator(function: Callable[..., Any], mark: Mark, signature: Signature) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        if not recorder().active:
            return (yield from function(*args, **kwargs))
        one = mark.for_call(signature.name)
        if not one.begin():
            return (yield from function(*args, **kwargs))
        one.given(signature.arguments(args, kwargs))
        try:
            result = yield from _stepped(function(*args, **kwargs), one)
        except BaseException as error:
            one.end(error)
            raise
        one.returned(result)
        one.end()
        return result

    return call


def _stepped(generator: Any, mark: Mark) -> Generator[Any, Any, Any]:
    step, value = generator.send, None
    while True:
        try:
            item = _within(mark, step, value)
        except StopIteration as stop:
            return stop.value
        try:
            step, value = generator.send, (yield item)
        except GeneratorExit:
            _within(mark, generator.close)
            raise
        except BaseException as error:
            step, value = generator.throw, error


def _within(mark: Mark, step: Callable[..., Any], *value: Any) -> Any:
    token = otel_context.attach(mark.context())
    try:
        return step(*value)
    finally:
        restore_context(token)


def _async_generator(function: Callable[..., Any], mark: Mark, signature: Signature) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        one: Mark | None = mark.for_call(signature.name) if recorder().active else None
        if one is not None and not one.begin():
            one = None
        if one is not None:
            one.given(signature.arguments(args, kwargs))
        generator = function(*args, **kwargs)
        step, value = generator.asend, None
        try:
            while True:
                try:
                    item = await _awithin(one, step, value)
                except StopAsyncIteration:
                    break
                try:
                    step, value = generator.asend, (yield item)
                except GeneratorExit:
                    await _awithin(one, generator.aclose)
                    raise
                except BaseException as error:
                    step, value = generator.athrow, error
        except BaseException as error:
            if one is not None:
                one.end(error)
            raise
        if one is not None:
            one.end()

    return call


async def _awithin(mark: Mark | None, step: Callable[..., Any], *value: Any) -> Any:
    if mark is None:
        return await step(*value)
    token = otel_context.attach(mark.context())
    try:
        return await step(*value)
    finally:
        restore_context(token)


__all__ = ["Signature", "decorated"]
