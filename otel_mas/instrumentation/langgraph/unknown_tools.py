"""Record calls of tools that do not exist: `ToolNode` answers them itself, and no tool runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from otel_mas.instrumentation.langchain.tools import refused
from otel_mas.record import recorder

Original = Callable[..., Any]


def validate_tool_call(original: Original) -> Original:
    """`ToolNode._validate_tool_call`: returns an error message where there is no tool of the call's name."""

    @functools.wraps(original)
    def _validate_tool_call(self: Any, call: Any, *args: Any, **kwargs: Any) -> Any:
        answer = original(self, call, *args, **kwargs)
        if answer is not None and recorder().active:
            refused(call, answer)
        return answer

    return _validate_tool_call


__all__ = ["validate_tool_call"]
