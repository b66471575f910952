"""`otel-mas attach --json`: a document for each thing that a debug session tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from otel_mas.analyse.cost import CostTable
from otel_mas.analyse.error_report import ErrorReport
from otel_mas.causal import CausalGraph, CriticalPath
from otel_mas.report.json import CostDocument, CriticalPathDocument, cost, critical_path
from otel_mas.report.json.errors import ErrorsDocument, errors
from otel_mas.report.json.fields import TIME
from otel_mas.report.json.log import EntryForm


class TransitionForm(TypedDict):
    state: Annotated[str, "IDLE, ATTACHED, RECORDING or ANALYZING"]
    why: Annotated[str, "store opened, store lost, began, closed, stopped, quiet, analyzed or detached"]
    time_ns: Annotated[int, f"when it changed{TIME}"]
    trace_id: Annotated[str | None, "the run that it is about"]
    waiting: Annotated[int, "number of runs that have begun since, and are followed after it"]


class AnalysisForm(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    ended: Annotated[str, "closed, stopped (its process is gone) or quiet"]
    status: Annotated[str, "as of `otel-mas traces`"]
    final_output: Annotated[str | None, "last answer or change of the state; null where not kept, or where it failed"]
    critical_path: Annotated[CriticalPathDocument, "as of `otel-mas critical-path`"]
    cost: Annotated[CostDocument, "as of `otel-mas cost`"]
    errors: Annotated[ErrorsDocument, "as of `otel-mas error`"]


class SessionDocument(TypedDict):
    state: Annotated[TransitionForm | None, "a change of the state; else null"]
    entry: Annotated[EntryForm | None, "an entry of the log of the run, as of `otel-mas log`; else null"]
    analysis: Annotated[AnalysisForm | None, "the analysis of a run; else null"]


def session(
    *, state: TransitionForm | None = None, entry: EntryForm | None = None, analysis: AnalysisForm | None = None
) -> SessionDocument:
    """One of the three."""
    return {"state": state, "entry": entry, "analysis": analysis}


def analysis(
    trace_id: str,
    ended: str,
    status: str,
    final_output: str | None,
    causal: CausalGraph,
    answers: tuple[CriticalPath, CostTable, Sequence[ErrorReport]],
    problems: Sequence[str],
) -> AnalysisForm:
    """The answers about a run."""
    path, table, reports = answers
    return {
        "trace_id": trace_id,
        "ended": ended,
        "status": status,
        "final_output": final_output,
        "critical_path": critical_path(causal, path, problems),
        "cost": cost(table, problems),
        "errors": errors(reports, problems),
    }


__all__ = ["AnalysisForm", "SessionDocument", "TransitionForm", "analysis", "session"]
