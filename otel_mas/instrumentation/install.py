"""Has each framework patched when the app imports it, and puts everything back."""

from __future__ import annotations

import importlib
from functools import cache
from types import ModuleType

from otel_mas.instrumentation import import_hooks

FRAMEWORKS = ("langgraph", "langchain")
"""Subpackages of this one; each has `MODULES`, whose import is when to patch, `patch(module)` and `unpatch()`."""

_PACKAGES = (*FRAMEWORKS, "propagation", "interop")


def install() -> None:
    """Watch for the frameworks' modules; patch those at once that are imported already. Imports none of them itself."""
    for name in _PACKAGES:
        package = _package(name)
        for module in package.MODULES:
            import_hooks.when_imported(module, package.patch)


def uninstall() -> None:
    """Put every function back."""
    for name in _PACKAGES:
        package = _package(name)
        import_hooks.forget(package.patch)
        package.unpatch()


def modules() -> tuple[str, ...]:
    """Every module of a framework that is patched."""
    return tuple(module for framework in FRAMEWORKS for module in _package(framework).MODULES)


@cache
def _package(name: str) -> ModuleType:
    return importlib.import_module(f"otel_mas.instrumentation.{name}")


__all__ = ["FRAMEWORKS", "install", "modules", "uninstall"]
