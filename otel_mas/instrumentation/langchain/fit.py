"""Which hook goes where, whether it fits the installed LangChain, and how to take it off again."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, NamedTuple

from otel_mas.instrumentation.langchain import MODULES, models, retrievers, tools

logger = logging.getLogger("otel_mas")


class Hook(NamedTuple):
    """A method of LangChain: module, class, name, its first parameters, and whether a version may lack it."""

    module: str
    owner: str
    name: str
    parameters: tuple[str, ...]
    replacement: Callable[[Callable[..., Any]], Callable[..., Any]]
    optional: bool = False


_CONTEXT, _MODELS, _TOOLS, _RETRIEVERS = MODULES

HOOKS = (
    Hook(_MODELS, "BaseChatModel", "generate", ("self", "messages"), models.generate),
    Hook(_MODELS, "BaseChatModel", "agenerate", ("self", "messages"), models.agenerate),
    Hook(_MODELS, "BaseChatModel", "_iter_v2_events", ("self", "messages"), models.iter_events, True),
    Hook(_TOOLS, "BaseTool", "run", ("self", "tool_input"), tools.run),
    Hook(_TOOLS, "BaseTool", "arun", ("self", "tool_input"), tools.arun),
    Hook(_RETRIEVERS, "BaseRetriever", "invoke", ("self", "input"), retrievers.invoke),
    Hook(_RETRIEVERS, "BaseRetriever", "ainvoke", ("self", "input"), retrievers.ainvoke),
)

# Its default is the value in every thread and context, also in those that exist already.
_HANDLER: ContextVar[models.ModelCalls | None] = ContextVar("otel-mas model calls handler", default=models.HANDLER)

_replaced: dict[tuple[Any, str], Any] = {}
_said: set[str] = set()


def patch(module: str | None = None) -> None:
    """Put in place every hook whose module is imported (or only those of `module`). Doing it again changes nothing."""
    if module in (None, _CONTEXT) and _CONTEXT in sys.modules:
        _register(sys.modules[_CONTEXT])
    for hook in HOOKS:
        if module in (None, hook.module) and hook.module in sys.modules:
            _put(hook, sys.modules[hook.module])


def unpatch() -> None:
    """Put everything back as it was."""
    while _replaced:
        (owner, name), original = _replaced.popitem()
        setattr(owner, name, original)
    # Callback managers that exist keep the handler; there is no way to take it out of them.
    models.HANDLER.ignore_everything(True)
    hooks = getattr(sys.modules.get(_CONTEXT), "_configure_hooks", None)
    if isinstance(hooks, list):
        hooks[:] = [hook for hook in hooks if hook[0] is not _HANDLER]


def _register(context: Any) -> None:
    models.HANDLER.ignore_everything(False)
    # LangChain has no way to ask for what is registered, nor to take it back, other than its list.
    if any(hook[0] is _HANDLER for hook in getattr(context, "_configure_hooks", ())):
        return
    register = getattr(context, "register_configure_hook", None)
    if register is None:
        _say(f"{_CONTEXT}.register_configure_hook is not there; model calls are not recorded")
        return
    register(_HANDLER, False, models.ModelCalls)


def _put(hook: Hook, module: Any) -> None:
    owner = getattr(module, hook.owner, None)
    if (owner, hook.name) in _replaced:
        return
    original: Any = getattr(owner, hook.name, None)
    if original is None:
        reason: str | None = "is not there"
    else:
        found = tuple(inspect.signature(original).parameters)[: len(hook.parameters)]
        reason = None if found == hook.parameters else f"takes {found}, expected {hook.parameters}"
    if reason is None:
        _replaced[owner, hook.name] = original
        setattr(owner, hook.name, hook.replacement(original))
    elif not (hook.optional and original is None):
        _say(f"{hook.module}.{hook.owner}.{hook.name} {reason}; its spans may be missing")


def _say(what: str) -> None:
    """Once in a process."""
    if what not in _said:
        _said.add(what)
        logger.warning("otel-mas does not know this version of LangChain: %s", what)


__all__ = ["HOOKS", "Hook", "patch", "unpatch"]
