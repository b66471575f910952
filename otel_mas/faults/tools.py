"""Faults of tools: LangChain's own code runs a copy of the tool whose body fails, hangs, or returns something else."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Sequence
from time import sleep
from typing import Any, Final

from otel_mas.faults import values, waits
from otel_mas.faults.fault import Target
from otel_mas.faults.injection import Hit, active_hits
from otel_mas.faults.place import current_place
from otel_mas.instrumentation.replacements import Original, with_attributes
from otel_mas.record import caught
from otel_mas.semconv.enums import FaultKind

_PLAIN: Final = (str, int, float, bool)


def run(original: Original) -> Original:
    """`BaseTool.run`, by which every way of calling a tool goes. Its spans and handling of errors stay."""

    @functools.wraps(original)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_faulty(self, args, kwargs), *args, **kwargs)

    return run


def arun(original: Original) -> Original:
    """`BaseTool.arun`."""

    @functools.wraps(original)
    async def arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await original(_faulty(self, args, kwargs), *args, **kwargs)

    return arun


def _faulty(tool: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The tool, or a copy of it with a faulty body where a fault is to happen."""
    try:
        given = args[0] if args else kwargs.get("tool_input")
        place, key = current_place(), (tool.name, _plain(given))
        waits_for = active_hits(Target.WAIT, place, *key, tool=tool.name)
        hits = active_hits(Target.TOOL, place, *key, tool=tool.name)
        if not hits and not waits_for:
            return tool
        bodies = {"_run": _body(tool, hits, waits_for), "_arun": _async_body(tool, hits, waits_for)}
        return with_attributes(tool, bodies)
    except Exception as error:
        caught("faults: tool", error)
        return tool


def _plain(given: Any) -> str:
    """The plain ones among the arguments, as text: others, that frameworks add, may hold ids."""
    if isinstance(given, dict):
        found = given.get("args", given) if given.get("type") == "tool_call" else given
        return repr(sorted((str(name), value) for name, value in found.items() if isinstance(value, _PLAIN)))
    return repr(given) if isinstance(given, _PLAIN) else ""


def _body(tool: Any, hits: Sequence[Hit], waits_for: Sequence[Hit]) -> Any:
    original = tool._run

    @functools.wraps(original)
    def _run(*args: Any, **kwargs: Any) -> Any:
        with waits.waiting(waits_for):
            for hit in hits:
                if hit.fault.kind == FaultKind.TOOL_HANG:
                    hit.record()
                    sleep(hit.fault.seconds)
                _raise(hit, tool.name)
            return _changed(tool, original(*args, **kwargs), hits)

    return _run


def _async_body(tool: Any, hits: Sequence[Hit], waits_for: Sequence[Hit]) -> Any:
    original = tool._arun

    @functools.wraps(original)
    async def _arun(*args: Any, **kwargs: Any) -> Any:
        async with waits.awaiting(waits_for):
            for hit in hits:
                if hit.fault.kind == FaultKind.TOOL_HANG:
                    hit.record()
                    await asyncio.sleep(hit.fault.seconds)
                _raise(hit, tool.name)
            return _changed(tool, await original(*args, **kwargs), hits)

    return _arun


def _raise(hit: Hit, tool: str) -> None:
    if hit.fault.kind == FaultKind.TOOL_HANG:
        raise TimeoutError(f"{tool} did not answer within {hit.fault.seconds:g} s")
    if hit.fault.kind == FaultKind.TOOL_ERROR:
        hit.record()
        raise ConnectionError(f"{tool} cannot be reached")


def _changed(tool: Any, result: Any, hits: Sequence[Hit]) -> Any:
    """The result that the faults leave. Of content with an artifact only the content is changed."""
    artifact = tool.response_format == "content_and_artifact" and isinstance(result, tuple) and len(result) == 2
    content, rest = (result[0], result[1:]) if artifact else (result, ())
    for hit in hits:
        if hit.fault.kind == FaultKind.TOOL_EMPTY:
            content = values.emptied(content)
            hit.record("result")
        elif hit.fault.kind == FaultKind.TOOL_NONSENSE:
            content = values.nonsense(hit.random)
            hit.record("result")
    return (content, *rest) if artifact else content


__all__ = ["arun", "run"]
