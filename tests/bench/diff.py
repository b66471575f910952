"""CPU of the diff of two runs of 10,000 spans each, reading included; the budget is 3 seconds.

The peer is `difflib.SequenceMatcher` over the labels of the same steps, which are read and labelled already.
"""

from __future__ import annotations

import difflib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import answers, hard_runs

SPANS, BUDGET_S = 10_000, 3
FEWER = 50
"""Spans that the second run of each app has less, so that there is something to find."""
APPS = ("a supervisor and workers", *hard_runs.APPS)


def report(spans: int = SPANS) -> None:
    """Print the table."""
    print(f"\n### Two runs of {spans:,} spans, step by step\n")
    print("| run | spans | diff | without reading | ÷ difflib over labels | budget |")
    print("|---|---|---|---|---|---|")
    for name in APPS:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "runs.db")
            count = int(_isolated(f"record({name!r}, {path!r}, {spans})"))
            whole, alone, labels = map(float, _isolated(f"ask({path!r})").split())
            print(
                f"| {name} | {count:,} | {whole:.1f} s | {alone:.1f} s | {alone / labels:.2g} | "
                f"{BUDGET_S * spans / SPANS:.0f} s |",
                flush=True,
            )


def _isolated(call: str) -> str:
    code = f"from tests.bench import diff; print(diff.{call})"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def record(name: str, path: str, spans: int) -> int:
    """Run an app twice; returns the number of spans of the second run."""
    import otel_mas

    otel_mas.instrument(store=path)
    try:
        for number, some in enumerate((spans, spans - FEWER)):
            rounds = some // answers._SPANS_A_ROUND
            graph = answers.app(rounds) if name == APPS[0] else hard_runs.APPS[name](some)
            start = {"turn": 0, "round": 0, "found": []}
            config = {"recursion_limit": 3 * spans + 10, "configurable": {"thread_id": f"bench {number}"}}
            graph.invoke(start, config)
    finally:
        otel_mas.shutdown(120)
    with otel_mas.open(path) as source:
        return len(source.latest().spans)


def ask(path: str) -> str:
    """Seconds of CPU to open the store, read both runs and compare them; to compare them; and of the peer."""
    import otel_mas
    from otel_mas.cli import collect_seldom

    def compare() -> tuple[float, float, float]:
        with otel_mas.open(path) as source:
            began = time.process_time()
            after, before = (source.trace(one.trace_id) for one in source.traces(limit=2))
            for run in (after, before):
                run.graph().causal.labels()
                _ = run._content
            read = time.process_time()
            found = before.diff(after)
            _ = found.summary
            ended = time.process_time()
            labels = [[run.tree.label[number] for number in run.tree.in_order()] for run in (found.a, found.b)]
            peer = time.process_time()
            difflib.SequenceMatcher(None, *labels, autojunk=False).get_opcodes()
            return ended - began, ended - read, time.process_time() - peer

    collect_seldom()
    compare()  # loads what it imports
    return " ".join(map(str, compare()))
