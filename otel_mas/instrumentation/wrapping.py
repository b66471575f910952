"""Replacements for a framework's functions: plain functions that do work before, after or around the original.

The work must not raise. It is given the arguments of the call. Each original is called exactly once, with what the
caller gave.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

Function = Callable[..., Any]
Replacement = Callable[[Function], Function]


class Around(Protocol):
    """Work around one call: one of the methods is called when the call is over."""

    def returned(self, result: Any, /) -> None: ...
    def raised(self, error: BaseException, /) -> None: ...


def before(work: Callable[..., None]) -> Replacement:
    """Call `work` first. Fits coroutine functions too: the work is done when they are called, not when awaited."""

    def replacement(original: Function) -> Function:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            work(*args, **kwargs)
            return original(*args, **kwargs)

        return call

    return replacement


def after(work: Callable[..., None]) -> Replacement:
    """Call `work` with the result and the arguments, unless the original raises."""

    def replacement(original: Function) -> Function:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            work(result, *args, **kwargs)
            return result

        return call

    return replacement


def after_async(work: Callable[..., None]) -> Replacement:
    """Like `after`, for a coroutine function."""

    def replacement(original: Function) -> Function:
        @functools.wraps(original)
        async def call(*args: Any, **kwargs: Any) -> Any:
            result = await original(*args, **kwargs)
            work(result, *args, **kwargs)
            return result

        return call

    return replacement


def around(begin: Callable[..., Around | None]) -> Replacement:
    """Call `begin` first, and a method of what it returns at the end. None: nothing is done around this call."""

    def replacement(original: Function) -> Function:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            begun = begin(*args, **kwargs)
            if begun is None:
                return original(*args, **kwargs)
            try:
                result = original(*args, **kwargs)
            except BaseException as error:
                begun.raised(error)
                raise
            begun.returned(result)
            return result

        return call

    return replacement


def around_async(begin: Callable[..., Around | None]) -> Replacement:
    """Like `around`, for a coroutine function."""

    def replacement(original: Function) -> Function:
        @functools.wraps(original)
        async def call(*args: Any, **kwargs: Any) -> Any:
            begun = begin(*args, **kwargs)
            if begun is None:
                return await original(*args, **kwargs)
            try:
                result = await original(*args, **kwargs)
            except BaseException as error:
                begun.raised(error)
                raise
            begun.returned(result)
            return result

        return call

    return replacement


__all__ = ["Around", "Replacement", "after", "after_async", "around", "around_async", "before"]
