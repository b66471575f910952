"""Answers as data frames: tables with described columns, as pandas or Arrow."""

from otel_mas.report.frame.answers import (
    COSTS,
    EDGES,
    ENTRIES,
    FUNCTIONS,
    HOT_SPOTS,
    MATCHES,
    PROFILE,
    STEPS,
    TRACES,
    cost,
    critical_path,
    edges,
    functions,
    hot_spots,
    log,
    matches,
    profile,
    traces,
)
from otel_mas.report.frame.records import RECORDS, records
from otel_mas.report.frame.spans import SPANS, spans
from otel_mas.report.frame.table import Column, Frame

__all__ = [
    "COSTS",
    "EDGES",
    "ENTRIES",
    "FUNCTIONS",
    "HOT_SPOTS",
    "MATCHES",
    "PROFILE",
    "RECORDS",
    "SPANS",
    "STEPS",
    "TRACES",
    "Column",
    "Frame",
    "cost",
    "critical_path",
    "edges",
    "functions",
    "hot_spots",
    "log",
    "matches",
    "profile",
    "records",
    "spans",
    "traces",
]
