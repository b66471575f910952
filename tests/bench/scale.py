"""One trace of 100,000 and of 1,000,000 spans, from its file to its critical path, beside CRISP and plain networkx.

Each row is a process of its own. All read the same spans: a root, and a chain of tasks below it, each caused by the one
before. otel-mas and networkx read the store, with its links; CRISP reads Jaeger's JSON of it, and knows no links.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench.parts import record_trace

SPANS = 100_000, 1_000_000
BUDGET_RATIO, BUDGET_MB = 10, 1_000


def report(crisp: str | None, sizes: tuple[int, int] = SPANS) -> None:
    """Print the table.

    Args:
        crisp: A checkout of github.com/uber-research/CRISP; None leaves that row out.
    """
    small, large = sizes
    print(f"\n### A trace of {large:,} spans, from its file to its critical path\n")
    print(f"| | {small:,} spans | {large:,} spans | ratio | resident | a span |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for count in sizes:
            _isolated(f"record_trace({_store(folder, count)!r}, {count})")
        for name, measure in (("otel-mas", measure_ours), ("networkx", measure_networkx)):
            _row(name, lambda count, measure=measure: f"{measure.__name__}({_store(folder, count)!r})", sizes)
        if crisp is None:
            print("| CRISP | no checkout given: `--crisp DIRECTORY` | | | | |")
        else:
            for count in sizes:
                write_jaeger(_store(folder, count), _json(folder, count))
            _row("CRISP", lambda count: f"measure_crisp({_json(folder, count)!r}, {crisp!r})", sizes)
        print(f"| budget of otel-mas | | | {BUDGET_RATIO} × | {BUDGET_MB:,} MB | |", flush=True)


def _row(name: str, call: Callable[[int], str], sizes: tuple[int, int]) -> None:
    try:
        (quick, _, _), (slow, peak, grown) = (map(float, _isolated(call(count)).split()) for count in sizes)
    except subprocess.CalledProcessError as error:
        print(f"| {name} | {error.stderr.strip().splitlines()[-1] if error.stderr else error} | | | | |", flush=True)
        return
    size = f"{grown * 1e6 / sizes[1]:,.0f} bytes"
    print(f"| {name} | {quick:.2f} s CPU | {slow:.1f} s | {slow / quick:.1f} × | {peak:,.0f} MB | {size} |", flush=True)


def _store(folder: str, count: int) -> str:
    return str(Path(folder) / f"{count}.db")


def _json(folder: str, count: int) -> str:
    return str(Path(folder) / f"{count}.json")


def _isolated(call: str) -> str:
    code = f"from tests.bench import scale; scale.{call}"
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def _measured(solve: Callable[[], int]) -> None:
    """Print seconds of CPU, MB resident at most, and MB by which the process grew; without what was imported before."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    if solve() <= 0:
        raise SystemExit("no path was found")
    took, peak = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(took, peak * 1024 / 1e6, (peak - before) * 1024 / 1e6)


def measure_ours(path: str) -> None:
    """From opening the store to the critical path, as the commands do it."""
    import networkx  # noqa: F401 - loading it is not what is measured

    import otel_mas
    import otel_mas.causal
    from otel_mas.cli import collect_seldom

    def solve() -> int:
        with otel_mas.open(path) as source:
            return source.latest().graph().critical_path().total_ns

    collect_seldom()
    _measured(solve)


def measure_networkx(path: str) -> None:
    """Spans as nodes, parents and causes as edges that weigh what the effect takes; the heaviest chain."""
    import networkx

    def solve() -> int:
        graph: networkx.DiGraph[bytes] = networkx.DiGraph()
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            for span, parent, start, end in connection.execute(
                "SELECT span_id, parent_span_id, start_ns, end_ns FROM spans"
            ):
                graph.add_node(span, start=start, end=end)
                if parent is not None:
                    graph.add_edge(parent, span, weight=end - start)
            for effect, cause in connection.execute(
                "SELECT spans.span_id, cause_span FROM links JOIN spans ON spans.id = links.span"
            ):
                graph.add_edge(cause, effect, weight=graph.nodes[effect]["end"] - graph.nodes[effect]["start"])
        return len(networkx.dag_longest_path(graph))

    _measured(solve)


def write_jaeger(path: str, target: str) -> None:
    """The spans of a store as Jaeger's JSON; times in ns, since CRISP looks longer at spans that touch."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with Path(target).open("w") as file:
        file.write('{"data": [{"traceID": "1", "processes": {"p": {"serviceName": "bench", "tags": []}}, "spans": [')
        comma = ""
        for name, span, parent, start, end in connection.execute(
            "SELECT name, span_id, parent_span_id, start_ns, end_ns FROM spans ORDER BY start_ns, id DESC"
        ):
            above = {"refType": "CHILD_OF", "traceID": "1", "spanID": parent.hex()} if parent else None
            row = {
                "traceID": "1",
                "spanID": span.hex(),
                "operationName": name,
                "references": [above] if above else [],
                "startTime": start,
                "duration": end - start,
                "tags": [],
                "logs": [],
                "processID": "p",
            }
            file.write(comma + json.dumps(row))
            comma = ",\n"
        file.write("]}]}")
    connection.close()


def measure_crisp(path: str, checkout: str) -> None:
    """Jaeger's JSON → CRISP's graph and critical path."""
    import logging

    sys.path.insert(0, checkout)
    from crisp.graph import Graph  # type: ignore[import-not-found] # not a dependency: there if a checkout is given

    logging.disable(logging.CRITICAL)

    def solve() -> int:
        with Path(path).open() as file:
            graph = Graph(json.load(file), "bench", "invoke_workflow bench", path, True)
        return len(graph.findCriticalPath())

    _measured(solve)


__all__ = ["measure_crisp", "measure_networkx", "measure_ours", "record_trace", "report", "write_jaeger"]
