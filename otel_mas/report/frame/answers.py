"""Lists of traces, edges, critical paths, costs and logs as data frames: the columns are the fields of their JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, get_args, get_type_hints

from otel_mas.analyse.cost import CostTable
from otel_mas.analyse.diff import RunDiff, SetDiff
from otel_mas.analyse.error_report import ErrorReport
from otel_mas.analyse.log import Entry, LogRecord
from otel_mas.analyse.profile import Profile
from otel_mas.analyse.state import StateChange
from otel_mas.analyse.what_if import WhatIf
from otel_mas.causal import CausalGraph, CriticalPath
from otel_mas.model import TraceSummary
from otel_mas.model.frame import Column, Frame, text
from otel_mas.model.search import Match
from otel_mas.report import json
from otel_mas.report.json import diff as json_diff
from otel_mas.report.json import errors as json_errors
from otel_mas.report.json import log as json_log
from otel_mas.report.json import logs as json_logs
from otel_mas.report.json import search as json_search
from otel_mas.report.json import state as json_state
from otel_mas.report.json import what_if as json_what_if
from otel_mas.report.task_labels import TaskLabels

_TYPES: Mapping[Any, str] = {
    dict[str, Any]: "string",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list[str]: "strings",
}
_MEANINGS = ((": nanoseconds since the Unix epoch", " (UTC)"), ("nanoseconds", "seconds"), ("null", "missing"))


def columns_of(form: type) -> Mapping[str, Column]:
    """Columns by field: times without their `_ns`, durations in seconds."""
    columns = {}
    for field, hint in get_type_hints(form, include_extras=True).items():
        kind, meaning, *options = get_args(hint)
        kind = get_args(kind)[0] if isinstance(kind, UnionType) else kind
        name: str | None = options[0].name if options else field
        if name is None:
            continue
        type_ = _TYPES[kind]
        for words, others in _MEANINGS:
            meaning = meaning.replace(words, others)
        if field in ("start_ns", "end_ns", "time_ns"):
            name, type_ = field.removesuffix("_ns"), "time"
        elif field.endswith("_ns"):
            name, type_ = field.removesuffix("_ns") + "_s", "number"
        columns[field] = Column(name, type_, meaning)
    return columns


def frame_of(columns: Mapping[str, Column], records: Sequence[Mapping[str, Any]]) -> Frame:
    """A row for each record, whose fields the columns are."""
    return Frame(
        columns.values(),
        [[_cell(field, columns[field].type, record[field]) for field in columns] for record in records],
    )


def _cell(field: str, type_: str, value: Any) -> Any:
    if type_ == "string":
        return text(value)
    if type_ == "strings":
        return [text(item) or "" for item in value]
    return value / 1e9 if value is not None and type_ == "number" and field.endswith("_ns") else value


_TRACES, _EDGES = columns_of(json.TraceForm), columns_of(json.EdgeForm)
_STEPS, _COSTS = columns_of(json.StepForm), columns_of(json.CostForm)
_PROFILE, _HOT_SPOTS, _FUNCTIONS = map(columns_of, (json.ProfileRowForm, json.HotSpotForm, json.FunctionForm))
TRACES, EDGES, STEPS, COSTS = (tuple(columns.values()) for columns in (_TRACES, _EDGES, _STEPS, _COSTS))
PROFILE, HOT_SPOTS, FUNCTIONS = (tuple(columns.values()) for columns in (_PROFILE, _HOT_SPOTS, _FUNCTIONS))
_ENTRIES, _MATCHES = columns_of(json_log.EntryForm), columns_of(json_search.MatchForm)
ENTRIES, MATCHES = tuple(_ENTRIES.values()), tuple(_MATCHES.values())
_LOGS = columns_of(json_logs.LogRecordForm)
LOGS = tuple(_LOGS.values())
_ERRORS = columns_of(json_errors.ErrorForm)
ERRORS = tuple(_ERRORS.values())
_RESCHEDULED = columns_of(json_what_if.RescheduledSpanForm)
RESCHEDULED = tuple(_RESCHEDULED.values())
_CHANGES = columns_of(json_state.ChangeForm)
CHANGES = tuple(_CHANGES.values())
_DIFFERENCES = columns_of(json_diff.DiffRowForm)
DIFFERENCES = tuple(_DIFFERENCES.values())
_SET_STEPS = columns_of(json_diff.StepOfSetsForm)
SET_STEPS = tuple(_SET_STEPS.values())


def traces(summaries: Sequence[TraceSummary]) -> Frame:
    """A row for each trace, in the order given."""
    return frame_of(_TRACES, json.traces(summaries)["traces"])


def edges(causal: CausalGraph) -> Frame:
    """A row for each edge, in start order of the effects."""
    return frame_of(_EDGES, json.edges(causal, TaskLabels(causal)))


def critical_path(causal: CausalGraph, path: CriticalPath) -> Frame:
    """A row for each step, in time order."""
    return frame_of(_STEPS, json.critical_path(causal, path, ())["steps"])


def cost(table: CostTable) -> Frame:
    """A row for each agent, then one for each model, the dearest first; none for the total, which they add up to."""
    found = json.cost(table, ())
    return frame_of(_COSTS, [*found["by_agent"], *found["by_model"]])


def profile(found: Profile) -> Frame:
    """A row for each agent, turn, node, model and tool, in the order of the profile."""
    return frame_of(_PROFILE, json.profile(found)["rows"])


def hot_spots(found: Profile) -> Frame:
    """A row for each hot spot, the most self time first."""
    return frame_of(_HOT_SPOTS, json.profile(found)["hot_spots"])


def functions(found: Profile) -> Frame:
    """A row for each profiled function in each agent and node, the most self time first."""
    return frame_of(_FUNCTIONS, json.profile(found)["functions"])


def what_if(causal: CausalGraph, answer: WhatIf) -> Frame:
    """A row for each span, in its recorded order."""
    return frame_of(_RESCHEDULED, json_what_if.spans(answer, causal))


def diff(found: RunDiff) -> Frame:
    """A row for each step of either run."""
    return frame_of(_DIFFERENCES, json_diff.rows(found))


def set_diff(found: SetDiff) -> Frame:
    """A row for each step of two sets of runs."""
    return frame_of(_SET_STEPS, [json_diff.step_of_sets(one) for one in found.steps])


def logs(records: Sequence[LogRecord]) -> Frame:
    """A row for each log record, by time; its further fields as JSON."""
    rows = [json_logs.log_record(one) for one in records]
    return frame_of(_LOGS, [{**row, "attributes": text(row["attributes"])} for row in rows])


def state(changes: Sequence[StateChange]) -> Frame:
    """A row for each change, in the order in which they were applied."""
    return frame_of(_CHANGES, [json_state.change(one) for one in changes])


def errors(reports: Sequence[ErrorReport]) -> Frame:
    """A row for each error, those that ended a run first."""
    return frame_of(_ERRORS, [json_errors.error(one) for one in reports])


def log(entries: Sequence[Entry]) -> Frame:
    """A row for each entry, in causal order."""
    return frame_of(_ENTRIES, [json_log.entry(one) for one in entries])


def matches(found: Sequence[Match]) -> Frame:
    """A row for each match of a search, those of the newest trace first."""
    return frame_of(_MATCHES, json_search.matches(found)["matches"])


__all__ = [
    "CHANGES",
    "COSTS",
    "EDGES",
    "ENTRIES",
    "ERRORS",
    "FUNCTIONS",
    "HOT_SPOTS",
    "LOGS",
    "MATCHES",
    "PROFILE",
    "RESCHEDULED",
    "STEPS",
    "TRACES",
    "cost",
    "critical_path",
    "edges",
    "errors",
    "functions",
    "hot_spots",
    "log",
    "logs",
    "matches",
    "profile",
    "state",
    "traces",
    "what_if",
]
