"""A callback handler in every callback manager that LangChain makes: the public way to follow its runs.

It costs LangChain more for each run than our hooks do, so it is registered only where those do not fit.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from otel_mas.record import recorder

_CONTEXT = "langchain_core.tracers.context"


class CallbackFallback:
    """A handler that LangChain knows between `start` and `stop`, also in threads and contexts that exist already.

    Args:
        make_handler: makes LangChain's `BaseCallbackHandler`.
    """

    def __init__(self, make_handler: Callable[[], Any]) -> None:
        self._make_handler = make_handler
        self._holder: ContextVar[Any] | None = None

    def start(self) -> None:
        if self._holder is None:
            handler = self._make_handler()
            # Its default is its value in every context.
            self._holder = ContextVar("otel-mas handler", default=handler)
            importlib.import_module(_CONTEXT).register_configure_hook(self._holder, True)

    def stop(self) -> None:
        """Unregister the handler; callback managers that exist keep it."""
        holder, self._holder = self._holder, None
        # LangChain has no public way to unregister one.
        hooks = getattr(importlib.import_module(_CONTEXT), "_configure_hooks", None)
        if holder is not None and isinstance(hooks, list):
            hooks[:] = [hook for hook in hooks if hook[0] is not holder]

    @property
    def started(self) -> bool:
        return self._holder is not None

    @property
    def recording(self) -> bool:
        return self.started and recorder().active


__all__ = ["CallbackFallback"]
