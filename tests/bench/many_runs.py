"""Patterns of 10,000 runs mined from a store, beside the same edges as one would get them with pandas or networkx."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sized
from pathlib import Path
from typing import Any

from tests.bench import queries

TRACES = queries.TRACES
BUDGET_S, BUDGET_MB = 10, 500
FEWER = 1_000
"""Traces that networkx is given, of which it would take minutes for all."""


def report() -> None:
    """Print the table."""
    print(f"\n### Patterns of {TRACES:,} traces of {1 + 3 * queries.TASKS} spans, from a store")
    print(f"\nBudget: {BUDGET_S} s and {BUDGET_MB} MB each.\n")
    print("| what | CPU | CPU ÷ that of the topology | peak MB |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        queries.write(path)
        spent: dict[str, float] = {}
        for name in CASES:
            cpu, peak = map(float, _isolated(name, path).split())
            spent[name] = cpu * (TRACES / FEWER if "networkx" in name else 1)
            ratio = spent[name] / spent["topology"]
            print(f"| {name} | {spent[name]:.1f} s | {ratio:.2f} | {peak:.0f} |", flush=True)


def _isolated(case: str, path: Path) -> str:
    code = f"from tests.bench import many_runs; many_runs.measure({case!r}, {str(path)!r})"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def measure(case: str, path: str) -> None:
    """Print seconds of CPU and the peak of the memory in MB, in a process of its own; without imports."""
    ask = CASES[case]
    ask(path, 10)
    began = time.process_time()
    found = ask(path, FEWER if "networkx" in case else TRACES)
    took = time.process_time() - began
    assert len(found), "nothing was found"
    print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _asked(question: str) -> Callable[[str, int], Sized]:
    def ask(path: str, limit: int) -> Sized:
        import otel_mas

        with otel_mas.open(path) as source:
            return getattr(source, question)(limit=limit)

    return ask


def _with_pandas(path: str, limit: int) -> Sized:
    """Edges by kind, with runs, median and 95th percentile of the wait, and the duration and errors of the effect."""
    import pandas

    with sqlite3.connect(path) as connection:
        chosen = f"SELECT id FROM traces ORDER BY start_ns DESC LIMIT {limit}"
        spans = pandas.read_sql(
            "SELECT id, trace, span_id, parent_span_id, coalesce(task_name, tool, request_model) AS node, start_ns,"
            f" end_ns, status FROM spans WHERE trace IN ({chosen})",
            connection,
        )
        links = pandas.read_sql(f"SELECT span, cause_span, kind FROM links WHERE trace IN ({chosen})", connection)
    effects = links.merge(spans, left_on="span", right_on="id")
    caused = effects.merge(spans, left_on=["trace", "cause_span"], right_on=["trace", "span_id"], suffixes=("", "_by"))
    used = spans.merge(spans, left_on=["trace", "parent_span_id"], right_on=["trace", "span_id"], suffixes=("", "_by"))
    used["kind"] = "use"
    edges = pandas.concat([caused, used])
    edges["wait"] = edges.start_ns - edges.end_ns_by
    edges["duration"] = edges.end_ns - edges.start_ns
    edges["failed"] = edges.status == 2
    grouped = edges.groupby(["node_by", "node", "kind"])
    return grouped.agg(
        count=("id", "size"),
        runs=("trace", "nunique"),
        wait=("wait", "median"),
        wait_p95=("wait", lambda values: values.quantile(0.95)),
        duration=("duration", "median"),
        failed=("failed", "mean"),
    )


def _with_networkx(path: str, limit: int) -> Sized:
    """The same, but for percentiles, from a graph of each trace."""
    import otel_mas

    count: Counter[tuple[Any, ...]] = Counter()
    waits: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    with otel_mas.open(path) as source:
        for summary in source.traces(limit=limit):
            graph = source.trace(summary.trace_id).graph().to_networkx()
            for cause, effect, kind in graph.edges(keys=True):
                one, other = graph.nodes[cause]["span"], graph.nodes[effect]["span"]
                key = one.task_name or one.name, other.task_name or other.name, kind
                count[key] += 1
                waits[key].append(other.start_ns - (one.end_ns or 0))
    return count


CASES: Mapping[str, Callable[[str, int], Sized]] = {
    "topology": _asked("topology"),
    "variants": _asked("variants"),
    "rare paths": _asked("rare_paths"),
    "hot spots": _asked("hot_spots"),
    "edges alone, with pandas": _with_pandas,
    "edges alone, with networkx (of a tenth of the traces, times ten)": _with_networkx,
}
