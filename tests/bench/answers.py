"""CPU of every answer about a run of 10,000 spans, in a process of its own; the budget of each is a second, or two."""

from __future__ import annotations

import itertools
import operator
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict

SPANS = 10_000
BUDGETS_S = {"findings": 2, "explain": 2}
"""Seconds of those that may take longer than one."""
_WORKERS = 4
_SPANS_A_ROUND = 3 + 3 * _WORKERS


def report() -> None:
    """Print the table: what, seen, budget."""
    from tests.answers.answers import ANSWERS

    print(f"\n### Answers about a run of {SPANS:,} spans\n")
    print("| what | CPU | budget |")
    print("|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "runs.db")
        _isolated("record", path, SPANS)
        for name in ANSWERS:
            seconds = float(_isolated("ask", path, name))
            print(f"| {name} | {seconds:.2f} s | {BUDGETS_S.get(name, 1)} s |", flush=True)
        print(_isolated("report_files", path, module="records"), end="")
        print(_isolated("report_emit", module="records"), end="", flush=True)


def _isolated(function: str, *arguments: object, module: str = "answers") -> str:
    code = f"from tests.bench import {module}; {module}.{function}({', '.join(map(repr, arguments))})"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def ask(path: str, name: str) -> None:
    """Prints the seconds of CPU to open the store, read the run and answer, as a command does; without imports."""
    import otel_mas
    from otel_mas.cli import collect_seldom
    from tests.answers.answers import ANSWERS

    collect_seldom()
    with otel_mas.open(path) as source:
        thread = source.latest().conversation_id or ""
        ANSWERS[name].ask(source.conversation(thread))  # loads what it imports
    began = time.process_time()
    with otel_mas.open(path) as source:
        ANSWERS[name].ask(source.conversation(thread))
    print(time.process_time() - began)


class State(TypedDict, total=False):
    """State of the app."""

    round: int
    found: Annotated[list[str], operator.add]
    worker: int


def record(path: str, spans: int) -> None:
    """Run an app in which a supervisor sends to workers, round by round; each asks a model and calls a tool."""
    import otel_mas

    otel_mas.instrument(store=path)
    rounds = spans // _SPANS_A_ROUND
    graph = app(rounds)
    graph.invoke(
        {"round": 0, "found": []}, {"recursion_limit": 3 * rounds + 10, "configurable": {"thread_id": "bench"}}
    )
    otel_mas.shutdown(120)


def app(rounds: int, pause_s: float = 0.0, result_bytes: int = 0) -> Any:
    """The compiled graph.

    Args:
        rounds: of the supervisor.
        pause_s: seconds that each model and tool call takes beyond its work.
        result_bytes: of a tool's result, at least.
    """
    from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
    from langchain_core.messages import AIMessage, HumanMessage
    from langchain_core.tools import tool
    from langgraph.checkpoint.memory import InMemorySaver
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    def answer(number: int) -> AIMessage:
        time.sleep(pause_s)
        return AIMessage(f"answer {number}: the tide is {number % 7} m")

    # No generator, which two threads cannot ask at the same time.
    model = GenericFakeChatModel(messages=map(answer, itertools.count(1)))

    @tool
    def look_up(place: str) -> str:
        """Look a place up."""
        time.sleep(pause_s)
        return f"{place}: {len(place)} m".ljust(result_bytes, ".")

    def supervisor(state: State) -> State:
        model.invoke([HumanMessage(f"What next, after round {state['round']}?")])
        return {"round": state["round"] + 1}

    def worker(state: State) -> State:
        answer = model.invoke([HumanMessage(f"Find out, worker {state['worker']} of round {state['round']}")])
        return {"found": [look_up.invoke({"place": str(answer.content)})][:0]}

    def route(state: State) -> Any:
        if state["round"] > rounds:
            return END
        return [Send("worker", {"worker": number, "round": state["round"]}) for number in range(_WORKERS)]

    graph = StateGraph(State)
    graph.add_node("supervisor", supervisor)
    graph.add_node("worker", worker)
    graph.add_edge(START, "supervisor")
    graph.add_conditional_edges("supervisor", route, ["worker", END])
    graph.add_edge("worker", "supervisor")
    return graph.compile(checkpointer=InMemorySaver(), name="tides")
