"""Answers as data frames: tables with described columns, as pandas or Arrow."""

from otel_mas.report.frame.answers import COSTS, EDGES, ENTRIES, STEPS, TRACES, cost, critical_path, edges, log, traces
from otel_mas.report.frame.spans import SPANS, spans
from otel_mas.report.frame.table import Column, Frame

__all__ = [
    "COSTS",
    "EDGES",
    "ENTRIES",
    "SPANS",
    "STEPS",
    "TRACES",
    "Column",
    "Frame",
    "cost",
    "critical_path",
    "edges",
    "log",
    "spans",
    "traces",
]
