"""The guard around every hook: recording never raises into the app."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import ParamSpec, TypeVar

from otel_mas.errors.log import logger

P = ParamSpec("P")
R = TypeVar("R")

_strict = False
_logged: set[str] = set()


def set_strict(strict: bool) -> None:
    """Re-raise what the guards catch. For our own tests: `settings.strict`."""
    global _strict
    _strict = strict


def caught(place: str, error: Exception) -> None:
    """Account for an error that recording ran into: logged the first time at each place, with its stack.

    While the interpreter ends, errors are to be expected (no thread starts any more, say): then in one line.

    Raises:
        Exception: `error` itself, under `settings.strict` only.
    """
    if _strict:
        raise error
    if place in _logged:
        return
    _logged.add(place)
    message = (
        "otel-mas: an error while recording (%s); the app is not affected, what was being recorded is missing. "
        "Logged once."
    )
    try:
        if threading.main_thread().is_alive():
            logger.warning(message, place, exc_info=error)
        else:
            logger.warning(f"{message} The interpreter is ending: %s", place, error)
    except Exception:  # a broken logging handler of the app must not reach the app through us
        pass


class guarded(AbstractContextManager[None]):  # noqa: N801 (used as a function)
    """Keep errors of recording away from the app, as a context manager or as a decorator.

    A guarded function returns None where it failed. KeyboardInterrupt, GeneratorExit and their kin pass through. It
    holds no state between uses, so one may be shared.

    Args:
        place: a name for the place, shown in the one log line that it may write.
    """

    __slots__ = ("_place",)

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception) or _strict:
            return False
        caught(self._place, error)
        return True

    def __call__(self, function: Callable[P, R]) -> Callable[P, R | None]:
        place = self._place

        @functools.wraps(function)
        def hook(*args: P.args, **kwargs: P.kwargs) -> R | None:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                caught(place, error)
                return None

        return hook


__all__ = ["caught", "guarded", "set_strict"]
