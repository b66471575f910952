"""CPU of 100 expected topologies, each held against a run of 10,000 spans; the budget is 10 seconds."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TypedDict

CASES, ROUNDS = 100, 1_340
BUDGET_S = 10
EXPECTED = """
    START -> supervisor -> researcher -> supervisor -> writer -> outline -> write_section{4,} -> edit
    edit joins write_section*; researcher => {tools}+; never publish before approval; researcher before writer
    each supervisor -> *{1}; $hub -> $spoke -> $hub; $spoke => search
"""


def report(cases: int = CASES, rounds: int = ROUNDS) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "runs.db")
        spans = int(_isolated(f"record({path!r}, {rounds})"))
        print(f"\n### {cases} expected topologies, each against a run of {spans:,} spans\n")
        print("| what | CPU | budget |")
        print("|---|---|---|")
        graph, topology, matching, again = map(float, _isolated(f"ask({path!r}, {cases})").split())
        print(
            f"| topology of each run, and matching | {topology + matching:.1f} s | {BUDGET_S * cases / CASES:.0f} s |"
        )
        print(f"| causal graph of each run, which other evaluators read as well | {graph:.1f} s | |")
        print(f"| matching alone, all against one run | {again:.1f} s | |", flush=True)


def _isolated(call: str) -> str:
    code = f"from tests.bench import topology; print(topology.{call})"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


class _State(TypedDict, total=False):
    round: int


def record(path: str, rounds: int) -> int:
    """Run a team in which a supervisor calls a researcher and a writer in turns; returns the number of spans."""
    import otel_mas

    otel_mas.instrument(store=path)
    _team(rounds).invoke({"round": 0}, {"recursion_limit": 100 * rounds})
    otel_mas.shutdown(120)
    with otel_mas.open(path) as source:
        (summary,) = source.traces()
        return summary.span_count


def _team(rounds: int) -> Any:
    from langchain_core.tools import tool
    from langgraph.graph import START, StateGraph
    from langgraph.types import Command, Send

    @tool
    def search(query: str) -> str:
        """Search."""
        return query

    def supervisor(state: _State) -> Command[Any]:
        number = state.get("round", 0)
        to = ("researcher", "writer")[number % 2] if number < rounds else "approval"
        return Command(goto=to, update={"round": number + 1})

    def researcher(state: _State) -> _State:
        for query in "ab":
            search.invoke({"query": query})
        return {}

    def nothing(state: _State) -> _State:
        return {}

    inner = StateGraph(_State)
    for name in ("outline", "write_section", "edit"):
        inner.add_node(name, nothing)
    inner.add_edge(START, "outline")
    inner.add_conditional_edges("outline", lambda state: [Send("write_section", {})] * 4, ["write_section"])
    inner.add_edge("write_section", "edit")
    graph = StateGraph(_State)
    graph.add_node("supervisor", supervisor, destinations=("researcher", "writer", "approval"))
    graph.add_node("researcher", researcher)
    graph.add_node("writer", inner.compile(name="writer"))
    for name in ("approval", "publish"):
        graph.add_node(name, nothing)
    for edge in (
        (START, "supervisor"),
        ("researcher", "supervisor"),
        ("writer", "supervisor"),
        ("approval", "publish"),
    ):
        graph.add_edge(*edge)
    return graph.compile(name="team")


def ask(path: str, cases: int) -> str:
    """Seconds of CPU for graphs, topologies, matching, and matching against one topology; without imports."""
    import otel_mas
    from otel_mas.causal import build
    from otel_mas.cli import collect_seldom
    from otel_mas.evaluate import Outcome
    from otel_mas.evaluate.topology import match, observe
    from otel_mas.model import Trace

    collect_seldom()
    spent = [0.0, 0.0, 0.0, 0.0]
    with otel_mas.open(path) as source:
        (summary,) = source.traces()
        spans = source.trace(summary.trace_id)._data.spans
    assert match(EXPECTED, Trace(summary.trace_id, spans)).outcome is Outcome.PASSED  # loads what it imports
    for _ in range(cases):
        gc.collect()
        times = [time.process_time()]
        graph = build([Trace(summary.trace_id, spans)])
        times.append(time.process_time())
        topology = observe(graph)
        times.append(time.process_time())
        match(EXPECTED, topology)
        times.append(time.process_time())
        match(EXPECTED, topology)
        times.append(time.process_time())
        spent = [known + after - before for known, before, after in zip(spent, times, times[1:], strict=False)]
    return " ".join(map(str, spent))
