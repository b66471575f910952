"""Record calls of tools that do not exist: `ToolNode` answers them itself, and no tool runs."""

from __future__ import annotations

from typing import Any

from otel_mas.instrumentation.langchain.tools import refused
from otel_mas.instrumentation.replacements import after
from otel_mas.record import recorder


def _validated(answer: Any, node: Any, call: Any, *args: Any, **kwargs: Any) -> None:
    """`ToolNode._validate_tool_call` returns an error message where there is no tool of the call's name."""
    if answer is not None and recorder().active:
        refused(call, answer)


validate_tool_call, _ = after(_validated, "langgraph unknown tool")

__all__ = ["validate_tool_call"]
