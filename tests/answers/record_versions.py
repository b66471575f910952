"""Record anew the runs that docs/query.md compares: `python -m tests.answers.record_versions`, then `make generate`.

Twenty runs of each of two versions of a small app; in the second one drafting takes half as long again.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TypedDict

from tests.example_team import ROOT

ARCHIVE = Path(__file__).with_name("two_versions.jsonl.gz")
RUNS = 20
SLOWER = {"1.1": 1.0, "1.2": 1.5}
SPREAD = 0.15


class State(TypedDict, total=False):
    """State of the app."""

    text: str


def main() -> None:
    """Record both versions, each in a process of its own, and archive them."""
    command = str(Path(sys.executable).with_name("otel-mas"))
    with tempfile.TemporaryDirectory() as folder:
        store = ["--store", str(Path(folder) / "runs.db")]
        for version in SLOWER:
            environment = os.environ | {
                "OTEL_SERVICE_NAME": "letters",
                "OTEL_RESOURCE_ATTRIBUTES": f"service.version={version}",
            }
            app = [command, "run", "--quiet", *store, "--", "-m", "tests.answers.record_versions", version]
            subprocess.run(app, cwd=ROOT, env=environment, check=True)
        subprocess.run([command, "export", "--all", *store, "-o", str(ARCHIVE)], check=True)


def run(version: str) -> None:
    """The app: search, draft, review, each of which sleeps."""
    rng = random.Random(version)
    app = graph(rng, SLOWER[version])
    for number in range(RUNS):
        app.invoke({"text": f"letter {number}"})


def graph(rng: random.Random, slower: float) -> Any:
    """The compiled graph."""
    from langgraph.graph import END, START, StateGraph

    def works(milliseconds: float) -> Any:
        def node(state: State) -> State:
            time.sleep(milliseconds * rng.lognormvariate(0, SPREAD) / 1_000)
            return state

        return node

    built = StateGraph(State)
    for name, milliseconds in (("search", 20.0), ("draft", 60.0 * slower), ("review", 30.0)):
        built.add_node(name, works(milliseconds))
    built.add_edge(START, "search")
    built.add_edge("search", "draft")
    built.add_edge("draft", "review")
    built.add_edge("review", END)
    return built.compile(name="letters")


if __name__ == "__main__":
    run(sys.argv[1]) if len(sys.argv) > 1 else main()
