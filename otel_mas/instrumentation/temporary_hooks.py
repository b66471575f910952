"""Hooks that are in place only while something asks for them, such as a replay or the injection of faults."""

from __future__ import annotations

from collections.abc import Mapping

from otel_mas.instrumentation import import_hooks
from otel_mas.instrumentation.patches import HookTable


class TemporaryHooks:
    """Hooks by the module that they are for. Callers hold a lock.

    Args:
        tables: by the name of each module to patch, the table with its hooks.
    """

    def __init__(self, tables: Mapping[str, HookTable]) -> None:
        self._tables = tables
        self.tables = tuple(dict.fromkeys(tables.values()))

    def put(self) -> None:
        """Put them in place: in each module that is imported, in others when they are."""
        for module in self._tables:
            import_hooks.when_imported(module, self._patch)

    def take_out(self) -> None:
        """Put every original back."""
        import_hooks.forget(self._patch)
        for table in self.tables:
            table.unpatch()

    def _patch(self, module: str) -> None:
        self._tables[module].patch(module)


__all__ = ["TemporaryHooks"]
