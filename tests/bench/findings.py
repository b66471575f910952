"""CPU of the findings about 1,000 traces of 50 spans with their content; the budget is 20 seconds."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.answers import app

TRACES, ROUNDS = 1_000, 3
BUDGET_S = 20


def report(traces: int = TRACES) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "runs.db")
        spans = int(_isolated(f"record({path!r}, {traces})"))
        print(f"\n### Findings about {traces:,} runs of {spans / traces:.0f} spans\n")
        print("| what | CPU | budget |")
        print("|---|---|---|")
        seconds = float(_isolated(f"ask({path!r}, {traces})"))
        print(f"| findings, grouped | {seconds:.1f} s | {BUDGET_S * traces / TRACES:.0f} s |", flush=True)


def _isolated(call: str) -> str:
    code = f"from tests.bench import findings; print(findings.{call})"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def record(path: str, traces: int) -> int:
    """Run a small app that many times; returns the number of spans."""
    import otel_mas

    otel_mas.instrument(store=path)
    graph = app(ROUNDS)
    for number in range(traces):
        graph.invoke(
            {"round": 0, "found": []}, {"recursion_limit": 50, "configurable": {"thread_id": f"bench-{number}"}}
        )
    otel_mas.shutdown(120)
    with otel_mas.open(path) as source:
        return sum(one.span_count for one in source.traces(limit=traces))


def ask(path: str, traces: int) -> float:
    """Seconds of CPU to open the store, read the runs and group what is found, as a command does; without imports."""
    import otel_mas
    from otel_mas.cli import collect_seldom

    collect_seldom()
    with otel_mas.open(path) as source:
        source.findings(limit=1)  # loads what it imports
    began = time.process_time()
    with otel_mas.open(path) as source:
        found = source.findings(limit=traces)
    assert found.examined == traces
    return time.process_time() - began
