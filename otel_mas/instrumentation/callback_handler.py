"""A callback handler of ours in every callback manager that LangChain makes: the public way to hear of its runs.

It costs LangChain more for each run than our hooks do, so it is registered only where those do not fit.
"""

from __future__ import annotations

import importlib
from contextvars import ContextVar
from typing import Any

from otel_mas.record import recorder

_CONTEXT = "langchain_core.tracers.context"


class PublicHandler:
    """A handler that LangChain knows between `begin` and `end`, also in threads and contexts that exist already."""

    def __init__(self) -> None:
        self._holder: ContextVar[Any] | None = None

    def _handler(self) -> Any:
        """The handler, in LangChain's form."""
        raise NotImplementedError

    def begin(self) -> None:
        """Listen."""
        if self._holder is None:
            handler = self._handler()
            # Its default is its value everywhere.
            self._holder = ContextVar("otel-mas handler", default=handler)
            importlib.import_module(_CONTEXT).register_configure_hook(self._holder, True)

    def end(self) -> None:
        """Listen no more; callback managers that exist keep the handler."""
        holder, self._holder = self._holder, None
        # There is no public way to take it back.
        hooks = getattr(importlib.import_module(_CONTEXT), "_configure_hooks", None)
        if holder is not None and isinstance(hooks, list):
            hooks[:] = [hook for hook in hooks if hook[0] is not holder]

    @property
    def listening(self) -> bool:
        return self._holder is not None and recorder().active


__all__ = ["PublicHandler"]
