"""A model call's span is current while the model runs: what instruments its client, or HTTP, nests in it.

Only where something else instruments: nobody else would see the difference.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from otel_mas.instrumentation.langchain.models import HANDLER

Original = Callable[..., Any]


def generate(original: Original) -> Original:
    """`BaseChatModel._generate_with_cache`: one call, on the thread that it runs on."""

    @functools.wraps(original)
    def _generate_with_cache(self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        call = HANDLER.enter(run_manager)
        if call is None:
            return original(self, messages, stop, run_manager, **kwargs)
        try:
            return original(self, messages, stop, run_manager, **kwargs)
        finally:
            call.leave()

    return _generate_with_cache


def agenerate(original: Original) -> Original:
    """`BaseChatModel._agenerate_with_cache`, which has a task of its own."""

    @functools.wraps(original)
    async def _agenerate_with_cache(
        self: Any, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Any:
        call = HANDLER.enter(run_manager)
        if call is None:
            return await original(self, messages, stop, run_manager, **kwargs)
        try:
            return await original(self, messages, stop, run_manager, **kwargs)
        finally:
            call.leave()

    return _agenerate_with_cache


__all__ = ["HANDLER", "agenerate", "generate"]
