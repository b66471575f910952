"""Traces to a causal graph, and the graph to its critical path, reasons and schedule. Pure, no I/O."""

from otel_mas.causal.build import build
from otel_mas.causal.graph import CHILD, CausalGraph, Edge
from otel_mas.causal.steps import CriticalPath, Step, StepKind

__all__ = ["CHILD", "CausalGraph", "CriticalPath", "Edge", "Step", "StepKind", "build"]
