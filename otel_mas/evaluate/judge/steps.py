"""A digest of the steps of a run: tasks, agents and tools in order, with what they wrote. No ids, no times.

It is the same for runs that did the same, so that a judge's answer about one holds for the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.executions import SUCCEEDED, Execution, ExecutionKind
from otel_mas.errors.printable import one_line
from otel_mas.evaluate.context import RunContext

_MOST_STEPS = 60
_MOST_CHARACTERS = 240


def steps_digest(context: RunContext) -> str:
    """A line for each step, indented by what it lies in; of a long run the first ones and the last."""
    lines = [_line(one, context) for one in context.executions if one.kind != ExecutionKind.MODEL]
    if len(lines) <= _MOST_STEPS:
        return "\n".join(lines)
    half = _MOST_STEPS // 2
    return "\n".join([*lines[:half], f"({len(lines) - 2 * half} more steps)", *lines[-half:]])


def _line(one: Execution, context: RunContext) -> str:
    depth = (one.task or "").count("/") + (one.kind in (ExecutionKind.TOOL, ExecutionKind.RETRIEVAL))
    failed = one.status not in SUCCEEDED
    ended = f" [{one.status}{f': {one.error_type}' if one.error_type else ''}]" if failed else ""
    return f"{'  ' * depth}- {one.kind} {one.name}{ended}{''.join(_content(one, context))}"


def _content(one: Execution, context: RunContext) -> Iterator[str]:
    span = context.graph.span(one.span_id)
    if one.kind == ExecutionKind.TOOL:
        arguments, result = context.facts.arguments(span), context.facts.result(span)
        if arguments is not None:
            yield f"({one_line(arguments, _MOST_CHARACTERS)})"
        if result is not None:
            yield f" -> {one_line(result, _MOST_CHARACTERS)}"
        return
    outputs = context.facts.outputs(span)
    if outputs:
        yield f": {one_line(outputs[-1], _MOST_CHARACTERS)}"


__all__ = ["steps_digest"]
