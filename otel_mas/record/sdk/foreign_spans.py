"""What recording asks of who knows the spans of other instrumentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Others(Protocol):
    """Knows some of the spans that other instrumentation makes."""

    def started(self, span: Any) -> None:
        """A span has started, on the thread and in the context in which it did."""

    def finished(self) -> None:
        """Recording ends in this process."""

    def columns(self, span: Any) -> Mapping[str, Any]:
        """What the store is to know of an ended span beside its own attributes; on the writer's thread."""
        ...


__all__ = ["Others"]
