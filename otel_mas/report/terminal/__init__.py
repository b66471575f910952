"""Reports as lines of styled text, made for a width; printing them is the caller's."""

from otel_mas.report.terminal.cost import cost, cost_in_a_line
from otel_mas.report.terminal.diff import diff, set_diff
from otel_mas.report.terminal.errors import errors
from otel_mas.report.terminal.explanation import explanation
from otel_mas.report.terminal.findings import findings
from otel_mas.report.terminal.graph import graph
from otel_mas.report.terminal.heading import heading
from otel_mas.report.terminal.introduced import introduced
from otel_mas.report.terminal.listing import traces
from otel_mas.report.terminal.log import log
from otel_mas.report.terminal.path import critical_path
from otel_mas.report.terminal.profile import profile
from otel_mas.report.terminal.state import state, state_at, states_compared
from otel_mas.report.terminal.table import table
from otel_mas.report.terminal.tree import tree
from otel_mas.report.terminal.what_if import what_if
from otel_mas.report.terminal.why_not import why_not

__all__ = [
    "cost",
    "cost_in_a_line",
    "critical_path",
    "diff",
    "errors",
    "explanation",
    "findings",
    "graph",
    "heading",
    "introduced",
    "log",
    "profile",
    "set_diff",
    "state",
    "state_at",
    "states_compared",
    "table",
    "traces",
    "tree",
    "what_if",
    "why_not",
]
