"""Hooks: functions of a framework that are replaced by ours, if the installed version has them as expected."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from otel_mas.errors.log import logger

Function = Callable[..., Any]


class Hook(NamedTuple):
    """One function of a framework, and its replacement.

    Args:
        module: the module that has it.
        owner: the class that it is a method of, or "" for a function of the module.
        name: its name.
        parameters: its first parameters; with others it is not replaced.
        replacement: makes our function from the framework's.
        optional: some versions of the framework lack it; no warning then.
        group: hooks that are of use only together: where one does not fit, none of them is put in place.
    """

    module: str
    owner: str
    name: str
    parameters: tuple[str, ...]
    replacement: Callable[[Function], Function]
    optional: bool = False
    group: str = ""

    @property
    def place(self) -> str:
        return ".".join(filter(None, (self.module, self.owner, self.name)))


class Fallback(Protocol):
    """Recording from public callbacks, while a group of hooks is left off."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class _Replaced(NamedTuple):
    original: Any
    ours: Any
    """As its owner returns it."""
    group: str


@dataclass(eq=False)
class HookTable:
    """The hooks into one framework.

    Replacements are plain functions, never `wrapt` wrappers: LangGraph takes `weakref.WeakMethod`s of some methods,
    which such a wrapper breaks silently.

    Args:
        framework: its name, for warnings.
        hooks: in any order.
        consequence: of a hook that does not fit, for the warning.
        fallbacks: by group of hooks.
    """

    framework: str
    hooks: Sequence[Hook]
    consequence: str
    fallbacks: Mapping[str, Fallback] = field(default_factory=dict)
    _replaced: dict[tuple[Any, str], _Replaced] = field(init=False, default_factory=dict)
    _left_off: set[str] = field(init=False, default_factory=set)
    _warned: set[str] = field(init=False, default_factory=set)

    def patch(self, module: str | None = None) -> None:
        """Put every hook in place whose module is imported (or only those of `module`). Idempotent."""
        for hook in self.hooks:
            if module in (None, hook.module) and hook.module in sys.modules:
                self._put(hook, sys.modules[hook.module])

    def unpatch(self) -> None:
        """Put every original back, except where another tool has wrapped our function since.

        Its wrapper would be lost with ours. Ours stays inside, and does nothing while nothing is recorded.
        """
        for place in reversed(list(self._replaced)):
            self._put_back(place)
        while self._left_off:
            group = self._left_off.pop()
            if group in self.fallbacks:
                self.fallbacks[group].stop()

    def _put_back(self, place: tuple[Any, str]) -> None:
        owner, name = place
        if getattr(owner, name, None) is self._replaced[place].ours:
            setattr(owner, name, self._replaced.pop(place).original)

    def _warn(self, misfit: str) -> None:
        """Warn that the installed version is not known, once for each misfit."""
        if misfit not in self._warned:
            self._warned.add(misfit)
            logger.warning(
                "otel-mas does not know this version of %s: %s; %s", self.framework, misfit, self.consequence
            )

    def _put(self, hook: Hook, module: Any) -> None:
        owner = getattr(module, hook.owner, None) if hook.owner else module
        original: Any = getattr(owner, hook.name, None)
        replaced = self._replaced.get((owner, hook.name))
        if replaced is not None and original is not replaced.original:
            return  # ours is there, or inside another tool's wrapper
        misfit = _misfit(hook, original)
        if misfit is None:
            if hook.group not in self._left_off:
                setattr(owner, hook.name, hook.replacement(original))
                self._replaced[owner, hook.name] = _Replaced(original, getattr(owner, hook.name), hook.group)
        elif not (hook.optional and original is None):
            self._warn(f"{hook.place} {misfit}")
            if hook.group and hook.group not in self._left_off:
                self._leave_off(hook.group)

    def _leave_off(self, group: str) -> None:
        self._left_off.add(group)
        for place in [place for place, replaced in self._replaced.items() if replaced.group == group]:
            self._put_back(place)
        if group in self.fallbacks:
            self.fallbacks[group].start()


def _misfit(hook: Hook, original: Any) -> str | None:
    if original is None:
        return "is not there"
    found = tuple(inspect.signature(original).parameters)[: len(hook.parameters)]
    return None if found == hook.parameters else f"takes {found}, expected {hook.parameters}"


__all__ = ["Fallback", "Hook", "HookTable"]
