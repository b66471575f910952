"""A callback handler of ours in every callback manager that LangChain makes: the public way to hear of its runs.

It costs LangChain more for each run than our hooks do, so it is registered only where those do not fit.
"""

from __future__ import annotations

import importlib
from contextvars import ContextVar
from typing import Any

_CONTEXT = "langchain_core.tracers.context"


def register(handler: Any) -> ContextVar[Any]:
    """Have LangChain tell `handler`, also in threads and contexts that exist already. Returns what `withdraw` takes."""
    # Its default is its value everywhere.
    holder: ContextVar[Any] = ContextVar("otel-mas handler", default=handler)
    importlib.import_module(_CONTEXT).register_configure_hook(holder, True)
    return holder


def withdraw(holder: ContextVar[Any]) -> None:
    """Have LangChain forget the handler; callback managers that exist keep it."""
    # There is no public way to take it back.
    hooks = getattr(importlib.import_module(_CONTEXT), "_configure_hooks", None)
    if isinstance(hooks, list):
        hooks[:] = [hook for hook in hooks if hook[0] is not holder]


__all__ = ["register", "withdraw"]
