"""Which hook goes where, whether it fits the installed LangGraph, and how to take it off again."""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from otel_mas.instrumentation.langgraph import MODULES, hooks

logger = logging.getLogger(__name__)


class Hook(NamedTuple):
    """One place in LangGraph: module, owner (a class, or "" for the module itself), name, and its first parameters."""

    module: str
    owner: str
    name: str
    parameters: tuple[str, ...]
    replacement: Callable[[Callable[..., Any]], Callable[..., Any]]
    optional: bool = False


_LOOP, _RUNNER, _BRANCH = MODULES
_EXIT = ("self", "exc_type", "exc_value", "traceback")

HOOKS = (
    Hook(_LOOP, "", "apply_writes", ("checkpoint", "channels", "tasks"), hooks.apply_writes),
    Hook(_LOOP, "PregelLoop", "_first", ("self",), hooks.first),
    Hook(_LOOP, "PregelLoop", "tick", ("self",), hooks.tick),
    Hook(_LOOP, "PregelLoop", "after_tick", ("self",), hooks.after_tick),
    Hook(_LOOP, "PregelLoop", "_put_checkpoint", ("self", "metadata"), hooks.put_checkpoint),
    Hook(_LOOP, "SyncPregelLoop", "__enter__", ("self",), hooks.enter),
    Hook(_LOOP, "SyncPregelLoop", "__exit__", _EXIT, hooks.leave),
    Hook(_LOOP, "SyncPregelLoop", "accept_push", ("self", "task"), hooks.accept_push),
    Hook(_LOOP, "AsyncPregelLoop", "__aenter__", ("self",), hooks.aenter),
    Hook(_LOOP, "AsyncPregelLoop", "__aexit__", _EXIT, hooks.aleave),
    Hook(_LOOP, "AsyncPregelLoop", "aaccept_push", ("self", "task"), hooks.aaccept_push),
    Hook(
        _LOOP,
        "SyncPregelLoop",
        "schedule_error_handler",
        ("self", "failed_task"),
        hooks.schedule_error_handler,
        True,
    ),
    Hook(
        _LOOP,
        "AsyncPregelLoop",
        "aschedule_error_handler",
        ("self", "failed_task"),
        hooks.aschedule_error_handler,
        True,
    ),
    Hook(_RUNNER, "", "run_with_retry", ("task",), hooks.run_with_retry),
    Hook(_RUNNER, "", "arun_with_retry", ("task",), hooks.arun_with_retry),
    Hook(_BRANCH, "BranchSpec", "_finish", ("self", "writer", "input", "result", "config"), hooks.branch_finish),
)

# (owner, name) → what stood there before.
_replaced: dict[tuple[Any, str], Any] = {}
_said: set[Hook] = set()


def patch(module: str | None = None) -> None:
    """Put every hook in place whose module is imported. Doing it again changes nothing."""
    for hook in HOOKS:
        if module in (None, hook.module) and hook.module in sys.modules:
            _put(hook, sys.modules[hook.module])


def unpatch() -> None:
    """Put everything back as it was."""
    while _replaced:
        (owner, name), original = _replaced.popitem()
        setattr(owner, name, original)


def _put(hook: Hook, module: Any) -> None:
    owner = getattr(module, hook.owner, None) if hook.owner else module
    original: Any = getattr(owner, hook.name, None)
    if (owner, hook.name) in _replaced:
        return
    reason = _misfit(hook, original)
    if reason is None:
        _replaced[owner, hook.name] = original
        setattr(owner, hook.name, hook.replacement(original))
    elif hook not in _said and not (hook.optional and original is None):
        _said.add(hook)
        place = ".".join(filter(None, (hook.module, hook.owner, hook.name)))
        logger.warning("otel-mas does not know this version of LangGraph: %s %s; causes may be missing", place, reason)


def _misfit(hook: Hook, original: Any) -> str | None:
    if original is None:
        return "is not there"
    found = tuple(inspect.signature(original).parameters)[: len(hook.parameters)]
    return None if found == hook.parameters else f"takes {found}, expected {hook.parameters}"
