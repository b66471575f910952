"""Replacements of a framework's functions that call ours before, after or around the original.

Each calls the original exactly once with what it was given, and keeps our errors from the app. Pairs are for a function
and for a coroutine function.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from otel_mas.record import guarded

Original = Callable[..., Any]
Replacement = Callable[[Original], Original]
State = TypeVar("State")
Object = TypeVar("Object")


def after(call: Callable[..., None], place: str) -> tuple[Replacement, Replacement]:
    """Call `call(result, *args, **kwargs)` once the original has returned.

    Args:
        call: ours.
        place: for the log line about an error.
    """

    guarded_call = guarded(place)(call)

    def replace(original: Original) -> Original:
        @functools.wraps(original)
        def hook(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            guarded_call(result, *args, **kwargs)
            return result

        return hook

    def replace_coroutine(original: Original) -> Original:
        @functools.wraps(original)
        async def hook(*args: Any, **kwargs: Any) -> Any:
            result = await original(*args, **kwargs)
            guarded_call(result, *args, **kwargs)
            return result

        return hook

    return replace, replace_coroutine


def before(call: Callable[..., None], place: str) -> Replacement:
    """Call `call(*args, **kwargs)` before the original."""
    guarded_call = guarded(place)(call)

    def replace(original: Original) -> Original:
        @functools.wraps(original)
        def hook(*args: Any, **kwargs: Any) -> Any:
            guarded_call(*args, **kwargs)
            return original(*args, **kwargs)

        return hook

    return replace


def around(
    begin: Callable[..., State | None], end: Callable[[State, BaseException | None, Any], None], place: str
) -> tuple[Replacement, Replacement]:
    """Call `begin(*args, **kwargs)` before the original, and `end(state, error, result)` after it.

    Args:
        begin: Returns the state for `end`, or None where there is nothing to end.
        end: Gets the exception that left the original, or its result.
        place: for the log line about an error.
    """

    guarded_begin, guarded_end = guarded(place)(begin), guarded(place)(end)

    def replace(original: Original) -> Original:
        @functools.wraps(original)
        def hook(*args: Any, **kwargs: Any) -> Any:
            state = guarded_begin(*args, **kwargs)
            try:
                result = original(*args, **kwargs)
            except BaseException as exc:
                if state is not None:
                    guarded_end(state, exc, None)
                raise
            if state is not None:
                guarded_end(state, None, result)
            return result

        return hook

    def replace_coroutine(original: Original) -> Original:
        @functools.wraps(original)
        async def hook(*args: Any, **kwargs: Any) -> Any:
            state = guarded_begin(*args, **kwargs)
            try:
                result = await original(*args, **kwargs)
            except BaseException as exc:
                if state is not None:
                    guarded_end(state, exc, None)
                raise
            if state is not None:
                guarded_end(state, None, result)
            return result

        return hook

    return replace, replace_coroutine


def with_attributes(one: Object, attributes: Mapping[str, Any]) -> Object:
    """A copy of an object that has these attributes; a method among them is found before that of its class."""
    copied = copy.copy(one)
    vars(copied).update(attributes)
    return copied


__all__ = ["Original", "Replacement", "after", "around", "before", "with_attributes"]
