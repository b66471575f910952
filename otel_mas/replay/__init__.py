"""Replay: an app runs again as it is, and its models, tools and retrievers answer what was recorded."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """This package, which Python puts in the place of the public function `otel_mas.replay` when it is imported."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _function()(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(_function())


def _function() -> Any:
    return import_module("otel_mas.api.trace_replay").replay


sys.modules[__name__].__class__ = _Callable
