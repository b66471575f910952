"""Cost of a replay: an answered call beside the same call of a model that answers at once, and the example team."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool

import otel_mas

_CALLS = 300
_ROUNDS = 7
_BUDGET_US = 300
_TEAM_BUDGET_S = 3.0


class Case(NamedTuple):
    """One kind of call; `call(i)` makes the ith."""

    title: str
    call: Callable[[int], Any]


@tool
def lookup(query: str) -> str:
    """Look something up."""
    return query


_MODEL = FakeListChatModel(responses=["fine"])
_HISTORY = [HumanMessage(f"message {n} " + "of a long chat " * 33) for n in range(50)]
CASES = (
    Case("model, a message", lambda i: _MODEL.invoke([HumanMessage(f"question {i}")])),
    Case("model, 50 messages of 500 characters", lambda i: _MODEL.invoke([*_HISTORY, HumanMessage(f"question {i}")])),
    Case("tool", lambda i: lookup.invoke({"query": f"question {i}"})),
)


def report() -> None:
    """Print the tables."""
    print(f"\n### An answered call of a replay (budget: {_BUDGET_US} µs over the recorded call itself)\n")
    print("| call | recorded, answers at once | replayed | more |")
    print("|---|---|---|---|")
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            recorded, replayed = _measure(case, Path(folder) / "runs.db")
        print(f"| {case.title} | {recorded:.0f} µs | {replayed:.0f} µs | {replayed - recorded:.0f} µs |")


def _measure(case: Case, store: Path) -> tuple[float, float]:
    """Median microseconds of CPU of a call that is recorded, and of one that is answered, the two in turn."""
    otel_mas.instrument(store=store)
    _microseconds(case)
    otel_mas.flush()
    with otel_mas.open(store) as source:
        traces = [source.trace(one.trace_id) for one in reversed(source.traces(limit=_CALLS))]
        recorded, replayed = [], []
        for _ in range(_ROUNDS):
            recorded.append(_microseconds(case))
            with otel_mas.replay(traces):
                replayed.append(_microseconds(case))
        otel_mas.shutdown()
    return statistics.median(recorded), statistics.median(replayed)


def _microseconds(case: Case) -> float:
    began = time.thread_time()
    for i in range(_CALLS):
        case.call(i)
    return (time.thread_time() - began) / _CALLS * 1e6


if __name__ == "__main__":
    report()
