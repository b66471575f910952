"""Call a function when a module has been imported, without importing it."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Callback = Callable[[str], None]

_lock = threading.RLock()
_finding = threading.local()
_watched: dict[str, list[Callback]] = {}


def when_imported(module: str, callback: Callback) -> None:
    """Call `callback(module)` each time that module has been executed: at once where it is imported already.

    An import in another thread is waited for. One that this very thread is in the middle of importing,
    and that nobody watched before, is missed. An error in a callback is logged once, and the import succeeds.
    """
    with _lock:
        watched = module in _watched
        _watched.setdefault(module, []).append(callback)
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)
    if module in sys.modules and not watched and being_imported(module):
        importlib.import_module(module)
    if module in sys.modules and not being_imported(module):
        _call(module, callback)


def being_imported(module: str) -> bool:
    """Whether a module is there, and not yet executed to its end."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))


def forget(callback: Callback) -> None:
    """Do not call `callback` any more."""
    with _lock:
        for module, callbacks in list(_watched.items()):
            if callback in callbacks:
                callbacks.remove(callback)
            if not callbacks:
                del _watched[module]
        if not _watched and _FINDER in sys.meta_path:
            # Another list: an import in another thread goes through this one, and would skip a finder.
            sys.meta_path = [finder for finder in sys.meta_path if finder is not _FINDER]


def _call(module: str, callback: Callback) -> None:
    try:
        callback(module)
    except Exception as error:
        from otel_mas.record.guard import caught  # loads OpenTelemetry, which the app itself may never do

        caught(f"after the import of {module}", error)


def _executed(module: str) -> None:
    called: list[Callback] = []
    # One by one: a callback may add another, or forget one.
    while waiting := [callback for callback in _watched.get(module, ()) if callback not in called]:
        called.append(waiting[0])
        _call(module, waiting[0])


class _Finder:
    """First of `sys.meta_path`. It lets other finders find a watched module, and wraps the loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _watched or getattr(_finding, "name", None) == fullname:
            return None
        _finding.name = fullname
        try:
            spec = _find(fullname, path, target)
        finally:
            _finding.name = None
        if spec is not None and hasattr(spec.loader, "exec_module"):
            loader: Any = _Loader(spec.loader)
            spec.loader = loader
        return spec


def _find(fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in list(sys.meta_path):
        find = getattr(finder, "find_spec", None)
        if finder is not _FINDER and find is not None:
            spec: ModuleSpec | None = find(fullname, path, target)  # may search the whole of sys.meta_path
            if spec is not None:
                return spec
    return None


class _Loader:
    """A module's own loader, with a call of `_executed` after the module has been executed."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        # `exec_module` puts the module's own loader back: readers of its source or data need that one.
        create = getattr(self._loader, "create_module", None)
        module: ModuleType | None = create(spec) if create is not None else None
        return module

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _executed(module.__name__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


_FINDER: Any = _Finder()


def _renew_lock() -> None:
    global _lock
    _lock = threading.RLock()  # another thread of the parent may have held it at the fork


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)

__all__ = ["being_imported", "forget", "when_imported"]
