"""Runs the apps anew, under each instrumentation and under ours: `python -m tests.accuracy.foreign_causes.record`.

What it writes is committed: `runs/DIALECT.jsonl.gz`, a run a line, as OTLP; `runs/ours.json.gz`, the edges that we
record, by run.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import otel_mas
from otel_mas.causal import build
from otel_mas.model import Query
from otel_mas.sources import open_source
from tests.accuracy.foreign_causes.edges import Edge, Said, control_edges, message_edges
from tests.accuracy.foreign_causes.measure import CONTROL, DIALECTS, MESSAGES, RUNS, WITHOUT_TASKS
from tests.accuracy.foreign_causes.run import runs
from tests.bench.environments import environment
from tests.peers.peers import PEERS, REPOSITORY

_APPS = (
    "langgraph",
    "langchain",
    "langgraph-swarm",
    "langgraph-supervisor",
    "langgraph-checkpoint-sqlite",
    "opentelemetry-sdk",
    "opentelemetry-proto",
    "opentelemetry-exporter-otlp-proto-http",
    "orjson",
    "genai-prices",
    "pytest",
)
"""What the apps and their recording need beside an instrumentation."""
_WITH_CONTENT = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "span_only",
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
}
"""Switches content on; the two others write it unasked."""


def _record_theirs(dialect: str) -> bytes:
    pinned = dict(
        line.split("==") for line in (REPOSITORY / "constraints.txt").read_text().splitlines() if "==" in line
    )
    wanted = [*(f"{name}=={pinned[name]}" for name in _APPS if name in pinned), PEERS[dialect][0]]
    python = environment(f"causes-{dialect}", wanted)
    environ = {**os.environ, **_WITH_CONTENT, "PYTHONPATH": str(REPOSITORY)}
    command = [python, "-W", "ignore", "-m", "tests.accuracy.foreign_causes.run", dialect]
    return subprocess.run(command, check=True, cwd=REPOSITORY, env=environ, stdout=subprocess.PIPE).stdout


def _record_ours() -> bytes:
    found: dict[str, dict[str, list[Sequence[str]]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "runs.db"
        otel_mas.instrument(store=str(store))
        known: set[str] = set()
        for name, run in runs():
            run()
            otel_mas.flush(30)
            source = open_source(store)
            new = {one.trace_id for one in source.traces(Query(limit=10_000))} - known
            known |= new
            graph = build([source.trace(trace_id) for trace_id in sorted(new)])
            found[name] = {
                CONTROL: _listed(control_edges(graph)),
                MESSAGES: _listed(message_edges(graph)),
                WITHOUT_TASKS: _listed(message_edges(graph, places=False)),
            }
            source.close()
        otel_mas.shutdown(30)
    return json.dumps(found, indent=0).encode()


def _listed(edges: Mapping[Edge, Said]) -> list[Sequence[str]]:
    return sorted((*edge, said.kind) for edge, said in edges.items())


def main(wanted: Sequence[str]) -> None:
    """Record all, or these."""
    RUNS.mkdir(exist_ok=True)
    for dialect in DIALECTS:
        if not wanted or dialect in wanted:
            (RUNS / f"{dialect}.jsonl.gz").write_bytes(gzip.compress(_record_theirs(dialect), mtime=0))
    if not wanted or "ours" in wanted:
        (RUNS / "ours.json.gz").write_bytes(gzip.compress(_record_ours(), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1:])
