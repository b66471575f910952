"""Cost of a replay: an answered call beside the same call of a model that answers at once, and the example team."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
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
_TEAM_ROUNDS = 3
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
        print(f"| {case.title} | {recorded:.0f} µs | {replayed:.0f} µs | {replayed - recorded:.0f} µs |", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        _report_team(Path(folder))


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


# -- the example team ------------------------------------------------------------------------------------------------

_ROOT = Path(__file__).parents[2]
_OTEL_MAS = str(Path(sys.executable).with_name("otel-mas"))
_QUESTION = "Should Elmstead reopen its tram line?"
_TIME = re.compile(r"(\d+)m([\d.]+)s")
_TIMED = '"$@" && times > "$OUT"'  # of the shell, then of the app


class Took(NamedTuple):
    """Seconds of a command."""

    wall: float
    cpu: float


def _report_team(folder: Path) -> None:
    runs, spent = folder / "runs.db", folder / "cpu"
    team = (sys.executable, "-m", "examples.research_team", _QUESTION, "--db")
    timed = ("sh", "-c", f"OUT={spent}; {_TIMED}", "sh", *team)
    imports = _least(lambda _: (sys.executable, "-c", "import examples.research_team.__main__"))
    bare = _least(lambda number: (*team, str(folder / f"bare-{number}.sqlite")))
    recorded = _took(_OTEL_MAS, "run", "--quiet", "--store", str(runs), "--", *team, str(folder / "recorded.sqlite"))
    inside = []

    def replay(number: int) -> tuple[str, ...]:
        if number:
            inside.append(_cpu_of_app(spent))
        stores = ("--from", str(runs), "--store", str(folder / f"replay-{number}.db"))
        return (_OTEL_MAS, "replay", *stores, "--", *timed, str(folder / f"replay-{number}.sqlite"))

    replayed = _least(replay)
    own = min(*inside, _cpu_of_app(spent))
    print(f"\n### Replay of the example team (budget: {_TEAM_BUDGET_S:.0f} s of wall time)\n")
    print("| process | wall | CPU |")
    print("|---|---|---|")
    for what, took in (("imports of the app", imports), ("app, not recorded", bare), ("app, recorded", recorded)):
        print(f"| {what} | {took.wall:.1f} s | {took.cpu:.2f} s |")
    print(f"| `otel-mas replay`, all | {replayed.wall:.1f} s | {replayed.cpu:.2f} s |")
    print(f"| the app in it | | {own:.2f} s |")
    print(f"| the command itself: recording read before, summary after | | {replayed.cpu - own:.2f} s |", flush=True)


def _cpu_of_app(spent: Path) -> float:
    return sum(60 * float(minutes) + float(seconds) for minutes, seconds in _TIME.findall(spent.read_text())[2:])


def _least(command: Callable[[int], tuple[str, ...]]) -> Took:
    """The shortest times of a command that is run a few times."""
    took = [_took(*command(number)) for number in range(_TEAM_ROUNDS)]
    return Took(min(one.wall for one in took), min(one.cpu for one in took))


def _took(*command: str) -> Took:
    # Compiled modules are kept, as in any installation.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, cwd=_ROOT, env=environment)
    wall, after = time.perf_counter() - began, os.times()
    user, system = (after[part] - before[part] for part in (2, 3))  # of children that have ended, and of theirs
    return Took(wall, user + system)


if __name__ == "__main__":
    report()
