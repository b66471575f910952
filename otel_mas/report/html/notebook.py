"""Notebook output of handles: blocks of bounded size that stand in any page."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.complaints import Complaint
from otel_mas.analyse.cost import CostTable
from otel_mas.analyse.diff import RunDiff, SetDiff
from otel_mas.analyse.error_report import ErrorReport
from otel_mas.analyse.log import Entry
from otel_mas.analyse.profile import Profile
from otel_mas.analyse.root_cause import RootCause
from otel_mas.analyse.state import StateChange
from otel_mas.analyse.what_if import WhatIf
from otel_mas.causal import CausalGraph, CriticalPath
from otel_mas.evaluate import EvalReport
from otel_mas.model import Finding, Span, TraceSummary
from otel_mas.model.search import Match
from otel_mas.report.decisions import Reasons
from otel_mas.report.html import cost as costs
from otel_mas.report.html import diff as diffs
from otel_mas.report.html import errors as failures
from otel_mas.report.html import evaluation as evaluations
from otel_mas.report.html import graph as graphs
from otel_mas.report.html import listing, tree
from otel_mas.report.html import log as logs
from otel_mas.report.html import matches as search
from otel_mas.report.html import path as paths
from otel_mas.report.html import profile as profiles
from otel_mas.report.html import span as single
from otel_mas.report.html import state as states
from otel_mas.report.html import what_if as changed
from otel_mas.report.html.attention import attention, problems
from otel_mas.report.html.block import block, folded
from otel_mas.report.html.explanation import explanation
from otel_mas.report.html.findings import findings
from otel_mas.report.html.heading import at_work, heading, price
from otel_mas.report.html.words import words
from otel_mas.report.markup import element
from otel_mas.report.tables import Table
from otel_mas.report.text import count

_MOST_SPANS = 300
_MOST_STEPS = 12
_MOST_ENTRIES = 200


def run(
    causal: CausalGraph,
    path: CriticalPath,
    cost: CostTable,
    wrong: Sequence[str],
    reasons: Reasons | None = None,
    found: Sequence[Finding] = (),
    complaint: Complaint | None = None,
    causes: Sequence[RootCause] = (),
) -> str:
    """A trace or a conversation: what it was, what went wrong with it, findings, the graph; the rest folded."""
    steps = folded(f"critical path: {at_work(path)}", paths.critical_path(causal, path, _MOST_STEPS))
    spans = folded(f"tree of {count(len(causal.spans), 'span')}", tree.tree(causal, _MOST_SPANS, reasons))
    spent = price(cost)
    return block(
        heading(causal.spans),
        explanation(complaint, causes, causal),
        attention(causal),
        findings(found, causal),
        problems(wrong),
        graphs.graph(causal, path, reasons),
        steps,
        spans,
        folded(spent, costs.cost(cost)) if spent is not None else None,
    )


def explained(
    complaint: Complaint | None, causes: Sequence[RootCause], found: Sequence[Finding], causal: CausalGraph
) -> str:
    """The complaint about a run, its root causes, and findings."""
    nothing = element("p", "No error ended this run, and no complaint about it is recorded.")
    return block(explanation(complaint, causes, causal) or nothing, findings(found, causal))


def graph(causal: CausalGraph, path: CriticalPath, wrong: Sequence[str]) -> str:
    """The causal graph."""
    return block(problems(wrong), graphs.graph(causal, path))


def critical_path(causal: CausalGraph, path: CriticalPath) -> str:
    """The critical path."""
    return block(paths.critical_path(causal, path))


def cost(table: CostTable) -> str:
    """Tokens and dollars."""
    return block(costs.cost(table))


def what_if(causal: CausalGraph, answer: WhatIf) -> str:
    """A run under changes."""
    return block(changed.what_if(answer, causal))


def diff(found: RunDiff, outputs: Sequence[str | None]) -> str:
    """Two runs step by step."""
    return block(diffs.diff(found, outputs))


def set_diff(found: SetDiff) -> str:
    """Two sets of runs step by step."""
    return block(diffs.set_diff(found))


def profile(found: Profile) -> str:
    """A profile."""
    return block(profiles.profile(found))


def log(entries: Sequence[Entry]) -> str:
    """The interaction log."""
    if not entries:
        return block(element("p", "No entry."))
    return block(logs.log(entries, entries[0].time_ns, _MOST_ENTRIES))


def errors(reports: Sequence[ErrorReport]) -> str:
    """Error reports."""
    return block(failures.errors(reports))


def table(found: Table) -> str:
    """A table in words."""
    return block(words(found))


def matches(found: Sequence[Match], more: bool = False) -> str:
    """Matches of a search; `more`: there may be further ones, in older traces."""
    phrase = f"the first {len(found):,}; limit=... asks for more" if more else None
    return block(search.matches(found), element("p", phrase, class_="om-dim") if phrase else None)


def evaluation(report: EvalReport) -> str:
    """A report of an evaluation."""
    return block(evaluations.evaluation(report))


def state(changes: Sequence[StateChange]) -> str:
    """Changes of a state."""
    if not changes:
        return block(element("p", "No change of a state was recorded."))
    return block(states.state(changes, changes[0].time_ns, _MOST_ENTRIES))


def traces(summaries: Sequence[TraceSummary], more: bool = False) -> str:
    """Traces in a list; `more`: there may be older ones that were not asked for."""
    phrase = f"the newest {len(summaries):,}; limit=... asks for more" if more else None
    return block(listing.traces(summaries), element("p", phrase, class_="om-dim") if phrase else None)


def span(one: Span) -> str:
    """Everything that a span says of itself."""
    return block(single.span(one))


def spans(found: Sequence[Span]) -> str:
    """Spans in a list."""
    return block(single.spans(found))
