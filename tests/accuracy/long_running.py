"""An app invoked again and again, in every shape: `long_running.py STORE BLOCKS [whole]` prints what is held."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, RetryPolicy, Send, interrupt

import otel_mas

WHOLE = sys.argv[3:] == ["whole"]
OFTEN = 12 if WHOLE else 2  # times that a quick run is done for one of the others
FIRST, LAST = (5_000, 20_000) if WHOLE else (1_500, 5_700)  # runs: 217 of each of the others in between
KEPT = 64  # what our caps are set to: full long before the first look, so that only what has none still grows
NUMBERS = count()
POOL = ThreadPoolExecutor(1)
LOOP = asyncio.new_event_loop()


class State(TypedDict):
    text: str
    messages: Annotated[list[AnyMessage], add_messages]


@tool
def look_up(word: str) -> str:
    """Looks a word up."""
    return word


def write(state: State) -> dict[str, Any]:
    return {"text": f"text {next(NUMBERS)}"}


def ask(state: State) -> dict[str, Any]:
    model = GenericFakeChatModel(messages=iter([AIMessage(f"answer {next(NUMBERS)}")]))
    answer = model.invoke([("user", state["text"])])
    return {"messages": [answer, AIMessage(look_up.invoke({"word": "a"}))]}


async def hang(state: State) -> None:
    await asyncio.sleep(60)


async def quick(state: State) -> None:
    await asyncio.sleep(0)


def wait(state: State) -> dict[str, Any]:
    return {"text": interrupt(f"may I {next(NUMBERS)}?")}


def fail(state: State) -> None:
    raise ValueError(f"failed {next(NUMBERS)}")


def threads(state: State) -> None:
    POOL.submit(write, state).result()
    thread = threading.Thread(target=write, args=(state,))
    thread.start()
    thread.join()


def chain(*nodes: Callable[..., Any], checkpointer: Any = None, **options: Any) -> Any:
    builder = StateGraph(State)
    last = START
    for number, node in enumerate(nodes):
        builder.add_node(f"{node.__name__}{number}", node, **options)
        builder.add_edge(last, f"{node.__name__}{number}")
        last = f"{node.__name__}{number}"
    return builder.compile(name="app", checkpointer=checkpointer)


def fan_out() -> Any:
    builder = StateGraph(State)
    builder.add_node("one", lambda state: None)
    builder.add_conditional_edges(START, lambda state: [Send("one", state)] * 2, ["one"])
    return builder.compile(name="fan_out")


def given() -> dict[str, Any]:
    return {"text": f"question {next(NUMBERS)}"}


def a_thread() -> dict[str, Any]:
    return {"configurable": {"thread_id": f"thread {next(NUMBERS)}"}}


def raises(run: Callable[[], Any], kind: type[BaseException]) -> None:
    try:
        run()
    except kind:
        return
    raise AssertionError(f"no {kind.__name__}")


def cycle() -> list[Callable[[], Any]]:
    """Runs of every kind, on graphs and a checkpointer of their own; the quick ones more often."""
    kept = InMemorySaver()
    plain, asked, forked, threaded = chain(write), chain(ask), fan_out(), chain(threads)
    two = chain(write, write)
    failing, retrying = chain(fail), chain(fail, retry_policy=RetryPolicy(max_attempts=2, initial_interval=0))
    with_memory, pausing = chain(write, checkpointer=kept), chain(write, wait, checkpointer=kept)
    failing_with_memory = chain(fail, checkpointer=kept)
    hanging = chain(quick, hang)

    def left() -> None:
        for _ in two.stream(given(), stream_mode="updates"):
            break

    async def aleft() -> None:
        async for _ in hanging.astream(given(), stream_mode="updates"):
            break

    async def cancelled() -> None:
        task = asyncio.create_task(hanging.ainvoke(given()))
        await asyncio.sleep(0.002)
        task.cancel()
        await asyncio.wait([task])

    def resumed() -> None:
        thread = a_thread()
        pausing.invoke(given(), thread)
        pausing.invoke(Command(resume="yes"), thread)

    often = [
        lambda: plain.invoke(given()),
        left,
        lambda: raises(lambda: failing.invoke(given()), ValueError),
        lambda: with_memory.invoke(given(), a_thread()),
        lambda: LOOP.run_until_complete(aleft()),
    ]
    seldom = [
        lambda: plain.batch([given()]),
        lambda: LOOP.run_until_complete(cancelled()),
        lambda: asked.invoke(given()),
        lambda: forked.invoke(given()),
        lambda: threaded.invoke(given()),
        lambda: pausing.invoke(given(), a_thread()),  # never resumed
        resumed,
        lambda: raises(lambda: retrying.invoke(given()), ValueError),
        lambda: raises(lambda: failing_with_memory.invoke(given(), a_thread()), ValueError),
    ]
    return often * OFTEN + seldom


def run(wanted: int) -> int:
    """At least that many runs; what they used is dropped all along the way."""
    done = 0
    while done < wanted:
        used = cycle() * 4
        for one in used:
            one()
        done += len(used)
    return done


def held() -> dict[str, Any]:
    """Count what is still held once nothing runs: our objects, known tasks, allocated blocks of memory."""
    from otel_mas.instrumentation.langgraph.schedule import TASK_RUNS

    LOOP.run_until_complete(asyncio.sleep(0.05))
    assert otel_mas.flush(60)
    for name, module in list(sys.modules.items()):
        if name.startswith("otel_mas."):
            for cached in vars(module).values():
                getattr(cached, "cache_clear", int)()  # bounded, and filled little by little
    for _ in range(3):
        gc.collect()
    kinds = Counter(f"{type(found).__module__}.{type(found).__qualname__}" for found in gc.get_objects())
    ours = {kind: number for kind, number in kinds.items() if kind.startswith("otel_mas.")}
    return {"blocks": sys.getallocatedblocks(), "tasks": len(TASK_RUNS), "ours": ours}


def with_small_caps() -> None:
    from otel_mas.record.content.recent import _ALL

    for entries in _ALL:
        entries._size = KEPT
    for name, module in list(sys.modules.items()):
        if name.startswith(("otel_mas.record", "otel_mas.instrumentation")):
            for cap, value in list(vars(module).items()):
                if cap.startswith("_MAX_") and isinstance(value, int) and value > KEPT:
                    setattr(module, cap, KEPT)


def main() -> None:
    otel_mas.instrument(store=sys.argv[1], max_store_bytes="64MiB")
    done = run(1)
    with_small_caps()
    done += run(FIRST - done)
    first = held()
    done += run(LAST - done)
    looks = [first, held()]
    if looks[1]["blocks"] - first["blocks"] >= int(sys.argv[2]):  # caches may still be filling
        done += run(LAST - FIRST)
        looks.append(held())
    print(json.dumps({"looks": looks, "runs": done}))


if __name__ == "__main__":
    main()
