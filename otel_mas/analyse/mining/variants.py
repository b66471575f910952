"""Variants of a workflow: runs of the same structure, as process mining calls traces of the same course.

The structure of a run is the set of its nodes and of the edges between them. With loops collapsed (the default) an edge
counts once however often it was taken, so that three rounds and four, or five workers and six, are one variant. Else
nodes are the numbered tasks of the run (`writer#2`), and calls of tools are counted.

Models are no part of the structure, since another version of a model is no other course; nor are messages, which
differ with what is said, nor edges that are only inferred. The `id` is the beginning of a SHA-256 over the sorted
structure: the same in every source, on every day.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.analyse.mining.figures import Counted, Run, median_and_p95
from otel_mas.analyse.mining.steps import Steps, edge_text
from otel_mas.causal.links import INFERRED
from otel_mas.semconv import LinkKind

Part = tuple[str, ...]
"""A node, by its name; or an edge: cause, kind and effect, and how often, if more than once."""

_ID_DIGITS = 12
_WORKERS = (ExecutionKind.AGENT, ExecutionKind.TASK)


@dataclass(frozen=True, slots=True)
class Variant:
    """The runs of one workflow that have the same structure. Times in ns."""

    id: str
    workflow: str
    rank: int
    """1: the most frequent variant of the workflow."""
    runs: int
    share: float
    """Part of the workflow's runs."""
    nodes: int
    """Nodes of the structure; without collapsed loops tasks."""
    edges: int
    duration_p50_ns: int | None
    """Median over the runs that have ended and did not pause."""
    duration_p95_ns: int | None
    errors: int
    """Runs that failed."""
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """Sum over the runs; None where none has a price."""
    added: tuple[str, ...]
    """Nodes and edges that the most frequent variant of the workflow lacks: `researcher`, `researcher → editor`."""
    missing: tuple[str, ...]
    """Nodes and edges of the most frequent variant that this one lacks."""
    traces: tuple[str, ...]
    """Ids of the runs, the newest first."""

    @property
    def error_rate(self) -> float:
        """Part of the runs that failed."""
        return self.errors / self.runs

    @property
    def example_trace(self) -> str:
        """The newest run."""
        return self.traces[0]


class VariantMiner:
    """Groups runs, which are added one after the other, the newest first."""

    def __init__(self, *, loops: bool = False) -> None:
        """
        Args:
            loops: Tell runs apart by how often each task ran, and in which order.
        """
        self._loops = loops
        self.runs: list[Run] = []
        self._parts: dict[Part, int] = {}
        """Every node and edge of any structure, with its number."""
        self._workflows: Counter[str] = Counter()
        self._variants: dict[tuple[str, frozenset[int]], Counted] = {}

    def add(self, run: Run, steps: Steps) -> None:
        """Add a run."""
        number = len(self.runs)
        self.runs.append(run)
        self._workflows[run.workflow] += 1
        parts = self._parts
        structure = frozenset(parts.setdefault(part, len(parts)) for part in self._structure(steps))
        counted = self._variants.setdefault((run.workflow, structure), Counted())
        counted.add(number, [(run.failed, run.duration_ns, run.input_tokens, run.output_tokens, run.cost_usd)])

    def _structure(self, steps: Steps) -> Iterator[Part]:
        name = steps.label if self._loops else steps.path
        workers = [kind in _WORKERS for kind in steps.kinds]
        called = [name(step) for step in range(len(workers))]
        for step, works in enumerate(workers):
            if works:
                yield (called[step],)
        edges: list[Part] = []
        for cause, effect, kind, provenance, _ in steps.transitions:
            if kind != LinkKind.MESSAGE and provenance != INFERRED and steps.kinds[effect] != ExecutionKind.MODEL:
                edges.append((called[cause] if cause >= 0 else name(cause), kind, called[effect]))
        if not self._loops:
            yield from edges
        else:
            yield from ((*edge, f"×{times}") if times > 1 else edge for edge, times in Counter(edges).items())

    def variants(self) -> tuple[Variant, ...]:
        """The variants, by workflow, in each the most frequent first; of equals the one that ran last."""
        parts = list(self._parts)
        ordered = sorted(
            self._variants.items(),
            key=lambda item: (-self._workflows[item[0][0]], item[0][0], -item[1].count, item[1].runs[0]),
        )
        found: list[Variant] = []
        ranks: Counter[str] = Counter()
        first: dict[str, frozenset[int]] = {}
        for (workflow, structure), counted in ordered:
            ranks[workflow] += 1
            usual = first.setdefault(workflow, structure)
            here, added, missing = (
                sorted((parts[number] for number in numbers), key=_nodes_first)
                for numbers in (structure, structure - usual, usual - structure)
            )
            found.append(self._variant(workflow, ranks[workflow], here, counted, added, missing))
        return tuple(found)

    def _variant(
        self,
        workflow: str,
        rank: int,
        structure: Sequence[Part],
        counted: Counted,
        added: Sequence[Part],
        missing: Sequence[Part],
    ) -> Variant:
        edges = sum(len(part) > 1 for part in structure)
        return Variant(
            hashlib.sha256(json.dumps(structure).encode()).hexdigest()[:_ID_DIGITS],
            workflow,
            rank,
            counted.count,
            counted.count / self._workflows[workflow],
            len(structure) - edges,
            edges,
            *median_and_p95(counted.durations),
            counted.errors,
            counted.input_tokens,
            counted.output_tokens,
            counted.cost_usd,
            tuple(map(_text, added)),
            tuple(map(_text, missing)),
            tuple(self.runs[number].trace_id for number in counted.runs),
        )


def _nodes_first(part: Part) -> tuple[bool, Part]:
    """The order of parts: by name, edges after all nodes."""
    return len(part) > 1, part


def _text(part: Part) -> str:
    """A node or an edge for people: `researcher → editor (send)`."""
    if len(part) == 1:
        return part[0]
    cause, kind, effect, *times = part
    return " ".join((edge_text(cause, kind, effect), *times))


__all__ = ["Variant", "VariantMiner"]
