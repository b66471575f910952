"""Rare paths: edges and variants that few runs of a workflow take, with these runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from otel_mas.analyse.mining.figures import Run
from otel_mas.analyse.mining.steps import edge_text
from otel_mas.analyse.mining.topology import MinedEdge, TopologyMiner
from otel_mas.analyse.mining.variants import Variant, VariantMiner

RARE = 0.05
"""Share of a workflow's runs below which a path is rare, unless another one is given."""


@dataclass(frozen=True, slots=True)
class RarePath:
    """An edge or a variant that few runs of its workflow take."""

    of: str
    """edge or variant."""
    workflow: str
    name: str
    """`researcher → editor (handoff)` of an edge; of a variant its id and what is other than in the most frequent."""
    provenance: str | None
    """Provenance of an edge: recorded, metadata or inferred."""
    runs: int
    share: float
    errors: int
    """Runs that took it and failed."""
    other_error_rate: float | None
    """Part of the workflow's other runs that failed; None where there are none."""
    cost_usd: float | None
    """Sum over these runs."""
    traces: tuple[str, ...]
    """Ids of the runs, the newest first."""

    @property
    def error_rate(self) -> float:
        """Part of these runs that failed."""
        return self.errors / self.runs


def rare_paths(topology: TopologyMiner, variants: VariantMiner, below: float = RARE) -> tuple[RarePath, ...]:
    """The rare paths of runs that both were given, the rarest first.

    Args:
        below: Share of a workflow's runs, 0 to 1.
    """
    runs = _Runs(topology.runs)
    found = [
        runs.path("edge", edge.workflow, _edge(edge), edge.provenance, traces)
        for edge, traces in topology.edges()
        if edge.share < below
    ]
    found += [
        runs.path("variant", one.workflow, _variant(one), None, one.traces)
        for one in variants.variants()
        if one.share < below
    ]
    return tuple(sorted(found, key=lambda path: (path.share, path.of, path.workflow, path.name)))


class _Runs:
    """Runs by trace id, and how many of each workflow there are, and failed."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = {run.trace_id: run for run in runs}
        self._all = Counter(run.workflow for run in runs)
        self._failed = Counter(run.workflow for run in runs if run.failed)

    def path(self, of: str, workflow: str, name: str, provenance: str | None, traces: Sequence[str]) -> RarePath:
        here = [self._runs[trace_id] for trace_id in traces]
        errors = sum(run.failed for run in here)
        others = self._all[workflow] - len(here)
        prices = [run.cost_usd for run in here if run.cost_usd is not None]
        return RarePath(
            of,
            workflow,
            name,
            provenance,
            len(here),
            len(here) / self._all[workflow],
            errors,
            (self._failed[workflow] - errors) / others if others else None,
            math.fsum(prices) if prices else None,
            tuple(traces),
        )


def _edge(edge: MinedEdge) -> str:
    return edge_text(edge.cause, edge.kind, edge.effect)


def _variant(one: Variant) -> str:
    """Its id, and what is other than in the most frequent variant, where it is not that one."""
    changes = [*(f"+ {part}" for part in one.added), *(f"- {part}" for part in one.missing)]
    return f"{one.id}: {', '.join(changes)}" if changes else one.id


__all__ = ["RARE", "RarePath", "rare_paths"]
