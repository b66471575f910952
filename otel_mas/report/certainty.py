"""How sure an edge is, in words."""

from __future__ import annotations

from otel_mas.causal.graph import Edge
from otel_mas.causal.links import INFERRED, RECORDED


def certainty(edge: Edge) -> str:
    """Nothing of a recorded edge; else `metadata`, or `inferred, 90 %` with its probability if that is known."""
    if edge.provenance == RECORDED:
        return ""
    return edge.provenance if edge.probability is None else f"{edge.provenance}, {percent(edge.probability)}"


def is_inferred(edge: Edge) -> bool:
    """Whether it was worked out, and may be wrong."""
    return edge.provenance == INFERRED


def percent(probability: float) -> str:
    """A probability as `90 %`."""
    return f"{100 * probability:.0f} %"


__all__ = ["certainty", "is_inferred", "percent"]
