"""Precision and recall of worked-out causes, and how often those of each probability are right."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from otel_mas.causal import CausalGraph, build
from otel_mas.otlp.json import resource_spans
from otel_mas.sources.traces import traces
from tests.accuracy.foreign_causes.edges import Edge, Said, control_edges, message_edges

RUNS = Path(__file__).with_name("runs")
DIALECTS = ("openinference", "openllmetry", "otel-genai")
CONTROL, MESSAGES, WITHOUT_TASKS = "control", "messages", "messages without tasks"
OTHER_APP = {("openllmetry", "agent_with_middleware")}
"""Runs that an instrumentor changes: OpenLLMetry wraps all hooks of a middleware, and each of these becomes a node."""

_FOUND: Mapping[str, Callable[[CausalGraph], dict[Edge, Said]]] = {
    CONTROL: control_edges,
    MESSAGES: message_edges,
    WITHOUT_TASKS: lambda graph: message_edges(graph, places=False),
}


@dataclass
class Figures:
    """Edges of several runs, counted."""

    runs: int = 0
    recorded: int = 0
    """Edges that we record."""
    found: int = 0
    """Those of them that were said, with any probability from one half on."""
    certain: Counter[bool] = field(default_factory=Counter)
    """Edges that were said to be certain: whether they are right."""
    inferred: Counter[tuple[float, bool]] = field(default_factory=Counter)
    """Edges by their probability, and whether they are right."""

    @property
    def likely(self) -> Counter[bool]:
        """All inferred edges of the graph: whether they are right."""
        found: Counter[bool] = Counter()
        for (probability, right), number in self.inferred.items():
            if probability >= 0.5:
                found[right] += number
        return found

    @property
    def recall(self) -> float:
        """Share of the edges that we record."""
        return self.found / self.recorded if self.recorded else 0.0

    def add(self, truth: Iterable[Edge], said: Mapping[Edge, Said], possible: Mapping[Edge, Said]) -> None:
        """Count a run."""
        known = set(truth)
        self.runs += 1
        self.recorded += len(known)
        self.found += len(known & said.keys())
        for edge, one in (*said.items(), *possible.items()):
            if one.probability is None:
                self.certain[edge in known] += 1
            else:
                self.inferred[round(one.probability, 2), edge in known] += 1


def precision(counted: Counter[bool]) -> float:
    """Share of what was said that is right; 1 where nothing was said."""
    return counted[True] / counted.total() if counted.total() else 1.0


def recorded_edges() -> Mapping[str, Mapping[str, list[Edge]]]:
    """The edges that we record, by run and sort."""
    with gzip.open(RUNS / "ours.json.gz") as file:
        found = json.load(file)
    return {
        run: {sort: [Edge(cause, effect) for cause, effect, _ in edges] for sort, edges in sorts.items()}
        for run, sorts in found.items()
    }


def graphs(dialect: str) -> Iterator[tuple[str, CausalGraph]]:
    """The graph of each run as it was recorded in a dialect."""
    with gzip.open(RUNS / f"{dialect}.jsonl.gz") as lines:
        for line in lines:
            document: dict[str, Any] = json.loads(line)
            if (dialect, document["run"]) not in OTHER_APP:
                yield document["run"], build(traces(resource_spans(document)))


@cache
def measure(dialect: str, sort: str) -> tuple[Figures, Figures]:
    """Figures of the apps that rules were chosen on, and of the random graphs."""
    truth, chosen_on, others = recorded_edges(), Figures(), Figures()
    for run, graph in graphs(dialect):
        figures = others if run.startswith("random ") else chosen_on
        possible = control_edges(graph, graph.possible_edges) if sort == CONTROL else {}
        figures.add(truth[run][sort], _FOUND[sort](graph), possible)
    return chosen_on, others
