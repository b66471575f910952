"""Patch each framework when the app imports it, and put everything back."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from otel_mas.instrumentation import import_hooks

if TYPE_CHECKING:
    from otel_mas.instrumentation.patches import HookTable

FRAMEWORKS = ("langgraph", "langchain")
_PACKAGES = (*FRAMEWORKS, "propagation", "interop")
"""Subpackages with `MODULES` to patch, and a `hook_table` that is loaded with the first of these."""


def install() -> None:
    """Watch for the frameworks' modules; patch those at once that are imported already. Imports none of them itself."""
    for name in _PACKAGES:
        for module in _modules(name):
            import_hooks.when_imported(module, _patch(name))


def uninstall() -> None:
    """Put every function back."""
    for name in _PACKAGES:
        import_hooks.forget(_patch(name))
        if _table_module(name) in sys.modules:
            hook_table(name).unpatch()


def modules() -> tuple[str, ...]:
    """Every module of a framework that is patched."""
    return tuple(module for framework in FRAMEWORKS for module in _modules(framework))


def hook_table(name: str) -> HookTable:
    """The hooks of a subpackage. Loads the framework."""
    table: HookTable = importlib.import_module(_table_module(name)).HOOK_TABLE
    return table


def _modules(name: str) -> tuple[str, ...]:
    modules: tuple[str, ...] = importlib.import_module(f"otel_mas.instrumentation.{name}").MODULES
    return modules


def _table_module(name: str) -> str:
    return f"otel_mas.instrumentation.{name}.hook_table"


@cache
def _patch(name: str) -> Callable[[str], None]:
    return lambda module: hook_table(name).patch(module)


__all__ = ["FRAMEWORKS", "hook_table", "install", "modules", "uninstall"]
