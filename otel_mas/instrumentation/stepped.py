"""Generators whose own code runs in a context of OpenTelemetry, and whose readers do not.

The context is put in place for each step, and taken away before the item is handed out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_mas.record import restore_context


def stepped(generator: Any, context: Callable[[], Context]) -> Generator[Any, Any, Any]:
    """Run a generator in the context that is made for each step, from the one that is current then."""
    step, value = generator.send, None
    while True:
        try:
            item = _step(context, step, value)
        except StopIteration as stop:
            return stop.value
        try:
            step, value = generator.send, (yield item)
        except GeneratorExit:
            _step(context, generator.close)
            raise
        except BaseException as error:
            step, value = generator.throw, error


def _step(context: Callable[[], Context], step: Callable[..., Any], *value: Any) -> Any:
    token = otel_context.attach(context())
    try:
        return step(*value)
    finally:
        restore_context(token)


async def async_stepped(generator: Any, context: Callable[[], Context]) -> AsyncGenerator[Any, Any]:
    """Run an async generator likewise."""
    step, value = generator.asend, None
    while True:
        try:
            item = await async_step(context, step, value)
        except StopAsyncIteration:
            return
        try:
            step, value = generator.asend, (yield item)
        except GeneratorExit:
            await async_step(context, generator.aclose)
            raise
        except BaseException as error:
            step, value = generator.athrow, error


async def async_step(context: Callable[[], Context] | None, step: Callable[..., Any], *value: Any) -> Any:
    """Take one step of an async generator in a context; in the current one where there is no other."""
    if context is None:
        return await step(*value)
    token = otel_context.attach(context())
    try:
        return await step(*value)
    finally:
        restore_context(token)


__all__ = ["async_step", "async_stepped", "stepped"]
