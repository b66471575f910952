"""Hooks into LangGraph: tasks get their places and faults when a step is prepared; writers are noted when it ends."""

from __future__ import annotations

import asyncio
import functools
from collections import Counter
from time import sleep
from typing import Any, Final
from weakref import WeakKeyDictionary

from otel_mas.faults import nodes
from otel_mas.faults.injection import Injection, active
from otel_mas.faults.messages import Names, Origins, Writes
from otel_mas.faults.place import Place, current_place
from otel_mas.fork import ForkLock
from otel_mas.instrumentation.langgraph.graphs import bound_graph, given_name, graph_of, is_agent, name_of_node
from otel_mas.instrumentation.replacements import Original, after, around
from otel_mas.model.channels import PUSH, START
from otel_mas.record import RecentlyUsed

_ORIGINS: Final = "_otel_mas_fault_origins"
_MOST_THREADS: Final = 1024
_lock = ForkLock()
_threads: WeakKeyDictionary[Injection, RecentlyUsed[tuple[Any, str], Origins]] = WeakKeyDictionary()
"""By the first of the injections that run: who wrote the state of each thread, for the runs that go on with it."""
_MODEL_NODES: Final = ("model", "agent")
"""The nodes of a prebuilt agent that call its model; that of an agent that is a whole run speaks for it."""


def _ticked(more: Any, loop: Any, *_: Any, **__: Any) -> None:
    if not active() or not more:
        return
    around_it = current_place()
    seen: Counter[str] = Counter()
    for task in loop.tasks.values():
        index, seen[task.name] = seen[task.name], seen[task.name] + 1
        if task.name != START and not task.writes and not isinstance(task.proc, nodes.FaultyNode):
            _prepare(loop, task, around_it, index)


def _prepare(loop: Any, task: Any, around_it: Place, index: int) -> None:
    graph = graph_of(loop)
    origins = _origins(loop)
    place = around_it.inside(given_name(graph), _names(graph, task, around_it), index, loop.step, _thread(loop))
    sender = (origins.of_send(task.input) or ()) if task.path and task.path[0] == PUSH else None
    nodes.wrap(task, place, origins).prepare(sender, inside_agent=is_agent(graph))


def _pushed(pushed: Any, loop: Any, caller: Any, *_: Any, **__: Any) -> None:
    """Prepare a task that another one calls, by the functional API."""
    if pushed is None or not active():
        return
    around_it = getattr(caller.proc, "place", None) or current_place()
    place = around_it.inside(None, (pushed.name,), int(pushed.path[2]), loop.step, _thread(loop))
    calling = around_it.own or (caller.name,)
    nodes.wrap(pushed, place, _origins(loop), calling).prepare(calling, inside_agent=False)


def _begin_step_end(loop: Any) -> tuple[Any, list[Writes]] | None:
    if not active():
        return None
    tasks = list(loop.tasks.values())
    for task in tasks:
        nodes.arriving_sends(task)
    return loop, [Writes(_own(task), [*task.writes]) for task in tasks]


def _end_step(begun: tuple[Any, list[Writes]], error: BaseException | None, _: Any) -> None:
    loop, written = begun
    if error is None:
        _origins(loop).applied(written, loop.channels)


def _own(task: Any) -> Names:
    return task.proc.place.own if isinstance(task.proc, nodes.FaultyNode) else (task.name,)


def _origins(loop: Any) -> Origins:
    """The writers of the state that a loop runs on: of its thread's, where it goes on with one."""
    found: Origins | None = getattr(loop, _ORIGINS, None)
    if found is None:
        outermost = not loop.config["configurable"].get("checkpoint_ns")
        found = _known(loop) if _thread(loop) and loop.checkpointer and outermost else Origins()
        setattr(loop, _ORIGINS, found)
    return found


def _known(loop: Any) -> Origins:
    with _lock:
        threads = _threads.setdefault(active()[0], RecentlyUsed(_MOST_THREADS))
    return threads.setdefault((graph_of(loop), _thread(loop)), Origins())


def _names(graph: Any, task: Any, around_it: Place) -> Names:
    """The names of a task: its node, the agent that it is or speaks for."""
    inner = bound_graph(task.proc)
    agent = None if inner is None else name_of_node(inner, task.name)
    if agent is None and task.name in _MODEL_NODES and is_agent(graph):
        whole = given_name(graph)
        agent = None if whole in around_it.names else whole
    return (task.name,) if agent in (None, task.name) else (task.name, str(agent))


def _thread(loop: Any) -> str:
    return str((loop.config.get("configurable") or {}).get("thread_id", ""))


tick, _ = after(_ticked, "faults: step")
accept_push, aaccept_push = after(_pushed, "faults: call")
after_tick, _ = around(_begin_step_end, _end_step, "faults: step end")


def run_with_retry(original: Original) -> Original:
    """`langgraph.pregel._runner.run_with_retry`: a task whose messages are late starts late."""

    @functools.wraps(original)
    def run_with_retry(task: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(task.proc, nodes.FaultyNode):
            sleep(task.proc.take_delay())
        return original(task, *args, **kwargs)

    return run_with_retry


def arun_with_retry(original: Original) -> Original:
    """`langgraph.pregel._runner.arun_with_retry`."""

    @functools.wraps(original)
    async def arun_with_retry(task: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(task.proc, nodes.FaultyNode):
            await asyncio.sleep(task.proc.take_delay())
        return await original(task, *args, **kwargs)

    return arun_with_retry


__all__ = ["aaccept_push", "accept_push", "after_tick", "arun_with_retry", "run_with_retry", "tick"]
