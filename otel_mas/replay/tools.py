"""Tools in a replay: LangChain's own code runs a copy of the tool whose body answers from the recording."""

from __future__ import annotations

import functools
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry.trace import get_current_span

from otel_mas.instrumentation.langchain.tools import own_arguments
from otel_mas.instrumentation.replacements import Original
from otel_mas.record import restore_context, snapshot, without_media
from otel_mas.replay import answers
from otel_mas.replay.active import answered_copy, session_for
from otel_mas.replay.place import inside_tool
from otel_mas.replay.recording import CallKind, RecordedCall
from otel_mas.replay.request import Request
from otel_mas.replay.session import Answer, ReplaySession

_ARTIFACT: Final = "content_and_artifact"


def run(original: Original) -> Original:
    """`BaseTool.run`, by which every way of calling a tool goes. Its spans and handling of errors stay."""

    @functools.wraps(original)
    def run(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_answered(self, tool_input, kwargs.get("tool_call_id")), tool_input, *args, **kwargs)

    return run


def arun(original: Original) -> Original:
    """`BaseTool.arun`."""

    @functools.wraps(original)
    async def arun(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        tool = _answered(self, tool_input, kwargs.get("tool_call_id"))
        return await original(tool, tool_input, *args, **kwargs)

    return arun


def _answered(tool: Any, given: Any, call_id: Any) -> Any:
    """A copy of the tool whose body is answered by the replay; the tool itself where there is none."""
    session = session_for(tool)
    if session is None:
        return tool
    asked = _Asked(tool, given, call_id, session)

    # By their signature LangChain decides what to pass.
    @functools.wraps(tool._run)
    def _run(*args: Any, **kwargs: Any) -> Any:
        return asked.run(*args, **kwargs)

    @functools.wraps(tool._arun)
    async def _arun(*args: Any, **kwargs: Any) -> Any:
        return await asked.arun(*args, **kwargs)

    return answered_copy(tool, {"_run": _run, "_arun": _arun})


class _Asked:
    """One call of a tool in a replay."""

    def __init__(self, tool: Any, given: Any, call_id: Any, session: ReplaySession) -> None:
        self._tool = tool
        self._given = given
        self._call_id = call_id
        self._session = session

    def run(self, *args: Any, **kwargs: Any) -> Any:
        call, number, *_ = self._ask()
        if call is None:
            token = otel_context.attach(inside_tool(self._tool.name, number))
            try:
                return self._tool._run(*args, **kwargs)
            finally:
                restore_context(token)
        self._session.take_time(call)
        return self._result(call)

    async def arun(self, *args: Any, **kwargs: Any) -> Any:
        call, number, *_ = self._ask()
        if call is None:
            token = otel_context.attach(inside_tool(self._tool.name, number))
            try:
                return await self._tool._arun(*args, **kwargs)
            finally:
                restore_context(token)
        await self._session.atake_time(call)
        return self._result(call)

    def _ask(self) -> Answer:
        arguments = without_media(snapshot(own_arguments(self._tool, self._given))[0])
        name = self._tool.name
        request = Request({"tool": name, "arguments": arguments}, (), self._session.normaliser, name)
        return self._session.answer(CallKind.TOOL, name, request, get_current_span())

    def _result(self, call: RecordedCall) -> Any:
        result = answers.tool_result(call, self._call_id)
        return answers.with_artifact(call, result) if self._tool.response_format == _ARTIFACT else result


__all__ = ["arun", "run"]
