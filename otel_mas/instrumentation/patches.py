"""Functions of a framework replaced by ours: put in place where they fit what is installed, and taken off again."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from otel_mas.errors.log import logger

Function = Callable[..., Any]


class Hook(NamedTuple):
    """One place in a framework.

    Args:
        module: the module it is in.
        owner: the class it is a method of, or "" for a function of the module.
        name: its name.
        parameters: its first parameters; with others the hook is left off.
        replacement: makes our function from the framework's.
        optional: a version of the framework may lack it, which is not worth a word.
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


class Instead(Protocol):
    """What records from public data, as far as that goes, where a group of hooks is left off."""

    def begin(self) -> None: ...

    def end(self) -> None: ...


class _Replaced(NamedTuple):
    original: Any
    ours: Any
    """As its owner gives it back."""


class Patches:
    """The hooks into one framework.

    Replacements are plain functions, never `wrapt` wrappers: LangGraph takes `weakref.WeakMethod`s of some methods,
    which such a wrapper breaks without a word.
    """

    def __init__(
        self, framework: str, hooks: Sequence[Hook], missing: str, instead: Mapping[str, Instead] | None = None
    ) -> None:
        self._framework = framework
        self._hooks = hooks
        self._missing = missing
        self._instead = instead or {}
        self._replaced: dict[tuple[Any, str], _Replaced] = {}
        self._groups: dict[tuple[Any, str], str] = {}
        self._left_off: set[str] = set()
        self._said: set[str] = set()

    def put(self, module: str | None = None) -> None:
        """Put every hook in place whose module is imported (or only those of `module`). Again changes nothing."""
        for hook in self._hooks:
            if module in (None, hook.module) and hook.module in sys.modules:
                self._put(hook, sys.modules[hook.module])

    def is_left_off(self, group: str) -> bool:
        """Whether a group of hooks does not fit what is installed."""
        return group in self._left_off

    def take_off(self) -> None:
        """Put everything back as it was, except what somebody else has wrapped since.

        Theirs would be lost with ours. Ours stays inside of it, and does nothing while nothing is recorded.
        """
        for place in reversed(list(self._replaced)):
            self._put_back(place)
        while self._left_off:
            group = self._left_off.pop()
            if group in self._instead:
                self._instead[group].end()

    def _put_back(self, place: tuple[Any, str]) -> None:
        owner, name = place
        if getattr(owner, name, None) is self._replaced[place].ours:
            setattr(owner, name, self._replaced.pop(place).original)

    def say(self, what: str) -> None:
        """Warn that the installed version is not known, once for each thing."""
        if what not in self._said:
            self._said.add(what)
            logger.warning("otel-mas does not know this version of %s: %s; %s", self._framework, what, self._missing)

    def _put(self, hook: Hook, module: Any) -> None:
        owner = getattr(module, hook.owner, None) if hook.owner else module
        original: Any = getattr(owner, hook.name, None)
        known = self._replaced.get((owner, hook.name))
        if known is not None and original is not known.original:
            return  # ours is there, or inside of what somebody has put there
        reason = _misfit(hook, original)
        if reason is None:
            if hook.group in self._left_off:
                return
            ours = hook.replacement(original)
            setattr(owner, hook.name, ours)
            self._replaced[owner, hook.name] = _Replaced(original, getattr(owner, hook.name))
            self._groups[owner, hook.name] = hook.group
        elif not (hook.optional and original is None):
            self.say(f"{hook.place} {reason}")
            if hook.group and hook.group not in self._left_off:
                self._leave_off(hook.group)

    def _leave_off(self, group: str) -> None:
        self._left_off.add(group)
        for place in [place for place in self._replaced if self._groups[place] == group]:
            self._put_back(place)
        if group in self._instead:
            self._instead[group].begin()


def _misfit(hook: Hook, original: Any) -> str | None:
    if original is None:
        return "is not there"
    found = tuple(inspect.signature(original).parameters)[: len(hook.parameters)]
    return None if found == hook.parameters else f"takes {found}, expected {hook.parameters}"


__all__ = ["Hook", "Instead", "Patches"]
