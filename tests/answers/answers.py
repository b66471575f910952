"""Every answer about a run, as a function of the handle that people use: one table for all tests of answers.

A new answer is a new line of `ANSWERS`. Where a place lacks something, so that its answer differs from the store's, the
pair stands in `LACKING` with the reason; the test of such a pair fails once the difference is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from otel_mas.analyse.log import EntryKind
from otel_mas.api import Conversation
from otel_mas.report import json
from otel_mas.report.json.errors import errors
from otel_mas.report.json.findings import explanation, finding
from otel_mas.report.json.log import entry
from otel_mas.report.json.logs import log_record
from otel_mas.report.json.query import ROWS
from otel_mas.report.json.span import span_details
from otel_mas.report.json.state import state
from otel_mas.report.json.what_if import what_if
from otel_mas.report.json.why_not import why_not
from otel_mas.trace_records.record import TraceRecord


@dataclass(frozen=True)
class Answer:
    """An answer as JSON, from a conversation; and the command that prints it, without the target, where one does."""

    ask: Callable[[Conversation], object]
    command: tuple[str, ...] | None
    lines: bool = False
    """With --json the command prints a document on each line."""


def listed(answer: Any) -> object:
    """The document of an answer of `otel-mas query`."""
    rows = [ROWS[answer.name](one) for one in answer]
    return {answer.name: rows, "limited": answer.limited, "incomplete": answer.incomplete}


def _explained(run: Conversation) -> object:
    found = run.explain()
    return explanation(found.complaint, found.root_cause, found.findings, found.findings.undecided, run.problems)


ANSWERS: Mapping[str, Answer] = {
    "graph": Answer(lambda run: json.graph(run.graph().causal, run.problems, run.questions()), ("graph",)),
    "critical path": Answer(
        lambda run: json.critical_path(run.graph().causal, run.graph().critical_path(), run.problems),
        ("critical-path",),
    ),
    "what if": Answer(
        lambda run: what_if(run.what_if(waiting=False, barriers=False), run.graph().causal, run.problems),
        ("what-if", "--no-waiting", "--no-barriers"),
    ),
    "profile": Answer(lambda run: json.profile(run.profile(), run.problems), ("profile",)),
    "log": Answer(lambda run: [entry(one) for one in run.log()], ("log",), lines=True),
    "log but for states": Answer(
        lambda run: [entry(one) for one in run.log() if one.kind not in (EntryKind.STATE, EntryKind.RUN_START)], None
    ),
    "final output": Answer(lambda run: run.final_output(), None),
    "records": Answer(lambda run: [_structure(record) for record in run.records(payload=False)], None),
    "why not": Answer(
        lambda run: why_not(run.why_not("tools"), run.graph().causal, run.problems), ("why-not", "tools")
    ),
    "executions": Answer(lambda run: listed(run.executions()), ("query", "executions")),
    "agents": Answer(lambda run: listed(run.executions().by("agent")), ("query", "agents")),
    "chains": Answer(lambda run: listed(run.executions().chains()), ("query", "chains")),
    "stages": Answer(lambda run: listed(run.executions().stages()), ("query", "stages")),
    "events": Answer(lambda run: listed(run.events()), ("query", "events")),
    "show a task": Answer(lambda run: [span_details(run.span_details(one), ()) for one in _some_tasks(run)], None),
    "logs": Answer(lambda run: [log_record(one) for one in run.logs()], None),
    "metrics": Answer(lambda run: listed(run.metrics("duration")), ("query", "metrics", "--by", "node")),
    "state": Answer(lambda run: state(run.problems, changes=run.state().changes), ("state",)),
    "findings": Answer(lambda run: [finding(one) for one in run.findings()], ("findings",)),
    "explain": Answer(_explained, ("explain",)),
    "error": Answer(lambda run: errors(run.error_reports(), run.problems), ("error",)),
    "cost": Answer(lambda run: json.cost(run.graph().cost(), run.problems), ("cost",)),
}


_ON_SPANS = "nothing; its spans have content among their attributes, which the store keeps beside them"
LACKING: Mapping[tuple[str, str], str] = {
    ("show a task", "archive"): _ON_SPANS,
    ("show a task", "jaeger"): _ON_SPANS,
    ("show a task", "records"): _ON_SPANS,
}
"""(answer, place) → what the place lacks."""


def _some_tasks(run: Conversation) -> list[str]:
    """Labels of three tasks: the first one, the last one, and one in between."""
    labels = list(dict.fromkeys(run.graph().labels().values()))
    return [labels[0], labels[len(labels) // 2], labels[-1]]


def _structure(record: TraceRecord) -> Any:
    """A record's fields, without what it has of OTLP alone."""
    fields = record.fields()
    return {name: fields[name] for name in fields.keys() - {"attributes", "resource", "events", "parents"}} | {
        "parents": [{**parent, "attributes": {}} for parent in fields.get("parents", ())]
    }


def comparable(document: Any) -> Any:
    """The document without what says where it was read."""
    if isinstance(document, Mapping):
        return {str(name): comparable(value) for name, value in document.items() if name not in ("location", "source")}
    if isinstance(document, list | tuple):
        return [comparable(one) for one in document]
    return document
