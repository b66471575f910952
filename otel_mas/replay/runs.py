"""Runs of graphs in a replay: how each begins, by which it is told from others of its graph."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from otel_mas.instrumentation.langgraph.hooks import schedule_of
from otel_mas.instrumentation.replacements import Original, after, with_attributes
from otel_mas.model.channels import START
from otel_mas.record import caught, guarded
from otel_mas.replay.active import active, sessions
from otel_mas.replay.matching import RunStart

if TYPE_CHECKING:
    from otel_mas.replay.segment_start import SegmentBeginning
    from otel_mas.replay.session import ReplaySession

OF_STATE: Final = (
    "get_state",
    "aget_state",
    "get_state_history",
    "aget_state_history",
    "bulk_update_state",
    "abulk_update_state",
)
"""The methods of a graph that read or update the state of a thread."""
_PLACE: Final = "replay: run"
_CONF: Final = "configurable"
_CHECKPOINTER: Final = "__pregel_checkpointer"  # in a configuration: the saver that a graph lends the one inside of it
_COMMAND: Final = "Command"
_RESUME: Final = "__resume__"  # the channel that LangGraph keeps answers in, as lists


def _ticked(more: Any, loop: Any, *_: Any, **__: Any) -> None:
    schedule = schedule_of(loop)
    if schedule is None or not more:
        return
    steps = [
        task.config["metadata"].get("langgraph_step", 0)
        for task in loop.tasks.values()
        if task.name != START and not task.writes
    ]
    if steps:
        resuming = loop.input is None or type(loop.input).__name__ == _COMMAND
        for session in sessions():
            session.started(schedule.run, RunStart(min(steps), 1 + _answers(loop) if resuming else 0, loop.input))


def _answers(loop: Any) -> int:
    """How many answers of people a paused task has had in earlier runs, perhaps of other processes."""
    writes = getattr(loop, "checkpoint_pending_writes", None) or ()
    tasks = {task.id for task in loop.tasks.values()}
    return max((len(value) for id_, channel, value in writes if id_ in tasks and channel == _RESUME), default=0)


tick, _ = after(_ticked, "replay: step")


# -- a segment that starts from a checkpoint ---------------------------------------------------------------------------


def enter(original: Original) -> Original:
    """`SyncPregelLoop.__enter__`: the loop is about to load its checkpoint."""

    @functools.wraps(original)
    def enter(loop: Any) -> Any:
        session, beginning = active(), _beginning(loop)
        if session is None or beginning is None:
            return original(loop)
        _begin(beginning, beginning.read())
        result = original(loop)
        _begun(beginning, session)
        return result

    return enter


def aenter(original: Original) -> Original:
    """`AsyncPregelLoop.__aenter__`, likewise."""

    @functools.wraps(original)
    async def aenter(loop: Any) -> Any:
        session, beginning = active(), _beginning(loop)
        if session is None or beginning is None:
            return await original(loop)
        _begin(beginning, await beginning.aread())
        result = await original(loop)
        _begun(beginning, session)
        return result

    return aenter


def _beginning(loop: Any) -> SegmentBeginning | None:
    session = active()
    segment = None if session is None else session.counterfactual.segment
    if session is None or segment is None or loop.is_nested:
        return None
    try:
        return segment.start.beginning(loop, session.counterfactual.changed_outside())
    except Exception as error:
        caught(_PLACE, error)
        return None


@guarded(_PLACE)
def _begin(beginning: SegmentBeginning, held: list[bool]) -> None:
    beginning.begin(held)


@guarded(_PLACE)
def _begun(beginning: SegmentBeginning, session: ReplaySession) -> None:
    beginning.begun(session.bind)


def state(original: Original) -> Original:
    """`Pregel.get_state` and the like: of a graph whose runs write to a private copy they read and write that."""

    @functools.wraps(original)
    def call(graph: Any, config: Any, *args: Any, **kwargs: Any) -> Any:
        return original(_with_copy(graph, config), config, *args, **kwargs)

    return call


def _with_copy(graph: Any, config: Any) -> Any:
    session = active()
    segment = None if session is None else session.counterfactual.segment
    if segment is None or _CHECKPOINTER in (config.get(_CONF) or {}):
        return graph
    copied = segment.start.copied_for(graph)
    return graph if copied is None else with_attributes(graph, {"checkpointer": copied})


__all__ = ["OF_STATE", "aenter", "enter", "state", "tick"]
