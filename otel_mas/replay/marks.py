"""Marked functions in a replay: calls of `@otel_mas.tool` and `@otel_mas.retrieval` are answered from the recording.

The body of such a function does not run, unless it is live. The block of a `with otel_mas.tool(...)` and the body of a
generator cannot be left out: they run as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_mas.instrumentation.marks.kinds import Retrieval, Tool, Work
from otel_mas.instrumentation.marks.mark import Mark, MarkAnswer
from otel_mas.record import current_actor, snapshot, without_media
from otel_mas.replay import answers
from otel_mas.replay.active import active, sessions
from otel_mas.replay.recording import CallKind, RecordedCall
from otel_mas.replay.request import Request
from otel_mas.replay.session import ReplaySession

_NS: Final = 1e-9


def answered(mark: Mark, arguments: Mapping[str, Any], /) -> MarkAnswer | None:
    """The answer to a call of a marked function; None where it is to run: it is no call, or it is live.

    Raises:
        ReplayMiss: There is none, and misses are errors.
    """
    session = active()
    if session is None:
        return None
    if isinstance(mark, Tool):
        name = mark.name
        plain = without_media(snapshot(dict(arguments))[0])
        request = Request({"tool": name, "arguments": plain}, (), session.normaliser, name)
        call = session.answer(CallKind.TOOL, name, request, mark.span).call
        return None if call is None else MarkAnswer(lambda: answers.tool_result(call), _wait_s(session, call))
    if isinstance(mark, Retrieval):
        return _retrieved(session, mark, arguments)
    return None


def begun(mark: Mark) -> None:
    """Note a marked agent, task or workflow outside of all others and of graphs: it is a run of its own."""
    if isinstance(mark, Work) and current_actor() is None:
        for session in sessions():
            session.run_began(mark.span)


def _retrieved(session: ReplaySession, mark: Retrieval, arguments: Mapping[str, Any]) -> MarkAnswer | None:
    query = next(iter(arguments.values()), None)
    request = Request({"retriever": mark.name, "query": without_media(snapshot(query)[0])}, (), session.normaliser)
    call = session.answer(CallKind.RETRIEVER, mark.name, request, mark.span).call
    return None if call is None else MarkAnswer(lambda: answers.found(call), _wait_s(session, call))


def _wait_s(session: ReplaySession, call: RecordedCall) -> float:
    return call.span.duration_ns * _NS if session.policy.timing else 0.0


__all__ = ["answered", "begun"]
