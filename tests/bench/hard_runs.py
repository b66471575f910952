"""CPU of findings and root causes of runs of 10,000 spans that are hard on them; the budget of each is 2 seconds.

Each app is hard in one way: content everywhere, long prompts, errors, one agent, depth, width, a long loop.
"""

from __future__ import annotations

import itertools
import operator
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TypedDict

from tests.bench import answers

SPANS, BUDGET_S = 10_000, 2
_DEPTH, _HISTORY = 1_000, 200


class State(TypedDict, total=False):
    """State of the apps."""

    turn: int
    worker: int
    found: Annotated[list[str], operator.add]


def report(spans: int = SPANS) -> None:
    """Print the table."""
    print(f"\n### Findings and root causes of runs of {spans:,} spans\n")
    print("| run | spans | findings | root cause of an answer marked as wrong | budget of each |")
    print("|---|---|---|---|---|")
    for name in APPS:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "runs.db")
            count = int(_isolated(f"record({name!r}, {path!r}, {spans})"))
            seconds = [float(_isolated(f"ask({path!r}, {what!r})")) for what in ("findings", "root cause")]
            shown = " | ".join(f"{one:.1f} s" for one in seconds)
            print(f"| {name} | {count:,} | {shown} | {BUDGET_S * spans / SPANS:.0f} s |", flush=True)


def _isolated(call: str) -> str:
    code = f"from tests.bench import hard_runs; print(hard_runs.{call})"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def ask(path: str, what: str) -> float:
    """Seconds of CPU to open the store, read the run and answer, as a command does; without imports."""
    import otel_mas
    from otel_mas.analyse.root_cause import Complaint
    from otel_mas.cli import collect_seldom

    def answer() -> None:
        with otel_mas.open(path) as source:
            trace = source.latest()
            trace.findings() if what == "findings" else trace.root_cause(complaint=Complaint())

    collect_seldom()
    answer()  # loads what it imports
    began = time.process_time()
    answer()
    return time.process_time() - began


def record(name: str, path: str, spans: int) -> int:
    """Run an app; returns the number of spans."""
    import otel_mas

    otel_mas.instrument(store=path)
    graph = APPS[name](spans)
    try:
        start = {"turn": 0, "round": 0, "found": []}
        graph.invoke(start, {"recursion_limit": spans + 10, "configurable": {"thread_id": "bench"}})
    finally:
        otel_mas.shutdown(120)
    with otel_mas.open(path) as source:
        return len(source.latest().spans)


def _content(spans: int) -> Any:
    return answers.app(spans // 15, result_bytes=5_000)


def _model() -> Any:
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage

    def answer(number: int) -> AIMessage:
        return AIMessage(_text(number))

    # No generator, which two threads cannot ask at the same time.
    return GenericFakeChatModel(messages=map(answer, itertools.count(1)))


def _text(number: int) -> str:
    """A text with labels, numbers, names and verdicts, most of them new."""
    return (
        f"Depth: {number * 7}.5 m\nBudget: {number * 1_000 + 17} EUR\nOpening: 2026-{number % 12 + 1:02}-14\n"
        f"Approved: {'yes' if number % 3 else 'no'}\nGauge {number} of 'Harbour {number}' was read by Ada. "
        f"At most {number + 500} EUR may be spent; see item-{number}."
    )


def _tool() -> Any:
    from langchain_core.tools import tool

    @tool
    def measure(number: int) -> str:
        """Measure something."""
        if number % 5 == 1:
            raise ValueError(f"no gauge {number}")
        return _text(number + 7)

    return measure


def _looping(step: Callable[[State], State], turns: int, agents: int = 1) -> Any:
    """Agents that take turns."""
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(State)
    for number in range(agents):
        graph.add_node(f"agent_{number}", step)
        after = f"agent_{(number + 1) % agents}"
        graph.add_conditional_edges(
            f"agent_{number}", lambda state, after=after: END if state["turn"] >= turns else after, [after, END]
        )
    graph.add_edge(START, "agent_0")
    return graph.compile()


def _histories(spans: int) -> Any:
    from langchain_core.messages import AIMessage, HumanMessage

    model, history = _model(), [HumanMessage("Find the depth of each harbour")]

    def step(state: State) -> State:
        answer = model.invoke(history[-_HISTORY:])
        history.extend([AIMessage(answer.content), HumanMessage(_text(-state["turn"] - 1))])
        return {"turn": state["turn"] + 1, "found": [answer.content][:0]}

    return _looping(step, spans // 3)


def _errors(spans: int) -> Any:
    from langchain_core.messages import HumanMessage

    model, measure = _model(), _tool()

    def step(state: State) -> State:
        model.invoke([HumanMessage(_text(state["turn"]))])
        for number in range(state["turn"], state["turn"] + 5):
            try:
                measure.invoke({"number": number})
            except ValueError:
                pass
        return {"turn": state["turn"] + 1}

    return _looping(step, spans // 8)


def _one_agent(spans: int) -> Any:
    from langchain_core.messages import HumanMessage

    model, measure = _model(), _tool()

    def step(state: State) -> State:
        for number in range(0, spans // 2):
            answer = model.invoke([HumanMessage(_text(number // 2))])
            measure.invoke({"number": number * 5})
        return {"turn": 1, "found": [str(answer.content)]}

    return _looping(step, 1)


def _deep(spans: int) -> Any:
    from langchain_core.messages import HumanMessage

    import otel_mas

    model, measure = _model(), _tool()

    def step(state: State) -> State:
        with ExitStack() as around:
            for level in range(_DEPTH):
                around.enter_context(otel_mas.task(f"level_{level}"))
                for count in range(max(1, spans // _DEPTH // 2)):
                    answer = model.invoke([HumanMessage(_text(level))])
                    measure.invoke({"number": 5 * (level + count)})
        return {"turn": 1, "found": [str(answer.content)]}

    return _looping(step, 1)


def _wide(spans: int) -> Any:
    from langchain_core.messages import HumanMessage
    from langgraph.graph import START, StateGraph
    from langgraph.types import Send

    model = _model()

    def worker(state: State) -> State:
        return {"found": [str(model.invoke([HumanMessage(_text(state["worker"]))]).content)]}

    graph = StateGraph(State)
    graph.add_node("split", lambda state: {"turn": 1})
    graph.add_node("worker", worker)
    graph.add_node("join", lambda state: {"found": [str(len(state["found"]))]})
    graph.add_edge(START, "split")
    graph.add_conditional_edges(
        "split", lambda state: [Send("worker", {"worker": number}) for number in range(spans // 2)], ["worker"]
    )
    graph.add_edge("worker", "join")
    return graph.compile()


def _two_agents(spans: int) -> Any:
    from langchain_core.messages import HumanMessage

    model, measure = _model(), _tool()

    def step(state: State) -> State:
        answer = model.invoke([HumanMessage(text) for text in state["found"][-2:] or ["Begin"]])
        measure.invoke({"number": 5 * state["turn"]})
        return {"turn": state["turn"] + 1, "found": [str(answer.content)]}

    return _looping(step, spans // 5, agents=2)


APPS: Mapping[str, Callable[[int], Any]] = {
    "results of 5 KB": _content,
    "prompts of 200 messages": _histories,
    "errors": _errors,
    "one agent": _one_agent,
    "depth": _deep,
    "a Send of 5,000": _wide,
    "two agents, 2,000 turns": _two_agents,
}
