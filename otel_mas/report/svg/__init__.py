"""Pictures of causal graphs as SVG."""

from otel_mas.report.svg.drawing import draw
from otel_mas.report.svg.scene import Scene, scene

__all__ = ["Scene", "draw", "scene"]
