"""Answers about one run: a trace or a conversation."""

from __future__ import annotations

from typing import Annotated

from otel_mas.report import json
from otel_mas.report.json.errors import ErrorsDocument, errors
from otel_mas.report.json.findings import finding
from otel_mas.report.json.picture import PictureDocument, picture
from otel_mas.report.json.profile import ProfileDocument, profile
from otel_mas.report.json.span import SpanDetailsDocument, span_details
from otel_mas.report.json.state import StateDocument, state
from otel_mas.report.json.why_not import WhyNotDocument, why_not
from otel_mas.server.api.endpoints import Endpoint
from otel_mas.server.api.forms import FindingsDocument
from otel_mas.server.api.served import ServedRun


def _picture(served: ServedRun) -> PictureDocument:
    """The causal picture, in columns: spans, causes, lanes, critical path, waits for people."""
    run = served.run
    asked = run.questions()

    def made() -> PictureDocument:
        causal = run.graph().causal
        path = run.graph().critical_path()
        return picture(causal, path, run.problems, asked, incomplete=run.incomplete, cursor=served.cursor)

    return made() if asked else served.once("picture", made)


def _graph(served: ServedRun) -> json.GraphDocument:
    """Causal graph: every span, every edge, and questions to people."""
    return json.graph(served.run.graph().causal, served.run.problems, served.run.questions())


def _critical_path(served: ServedRun) -> json.CriticalPathDocument:
    """Critical path: the steps that its duration is made of, and why each next one waited."""
    graph = served.run.graph()
    return json.critical_path(graph.causal, graph.critical_path(), served.run.problems)


def _cost(served: ServedRun) -> json.CostDocument:
    """Tokens and USD, by agent and by model."""
    return json.cost(served.run.graph().cost(), served.run.problems)


def _span(served: ServedRun, span: str) -> SpanDetailsDocument:
    """Everything about one span, by its id or a task's label; of a task that paused about all that it ran in."""
    return span_details(served.run.span_details(span), served.run.problems)


def _findings(
    served: ServedRun,
    code: Annotated[list[str], "Only findings of this kind; several add up."] = [],  # noqa: B006
) -> FindingsDocument:
    """Findings about it, the worst first, each with its evidence."""
    found = served.run.findings(codes=code)
    return {
        "findings": [finding(one) for one in found],
        "undecided": [{"code": one.code, "reason": one.reason} for one in found.undecided],
        "problems": list(served.run.problems),
    }


def _error_reports(served: ServedRun) -> ErrorsDocument:
    """A report of each error: stack, state and input, what led there, what ran side by side."""
    return errors(served.run.error_reports(), served.run.problems)


def _profile(served: ServedRun) -> ProfileDocument:
    """Its time by agent, turn, node, model and tool; hot spots by self time."""
    return profile(served.run.profile(), served.run.problems)


def _why_not(served: ServedRun, agent: Annotated[str, "The name of an agent or a node."]) -> WhyNotDocument:
    """Why an agent did not act, with the spans that show it."""
    return why_not(served.run.why_not(agent), served.run.graph().causal, served.run.problems)


def _state(
    served: ServedRun,
    channel: Annotated[str | None, "Only changes of this channel."] = None,
    at: Annotated[str | None, "The state that a task read (supervisor#2), or at a time from the start: +2.5s."] = None,
) -> StateDocument:
    """Changes of the state, in order; with `at` the state that a task read."""
    whole = served.run.state()
    if at is not None:
        return state(served.run.problems, snapshot=whole.at(at))
    changes = (whole if channel is None else whole.channel(channel)).changes
    return state(served.run.problems, changes=changes)


RUNS = (
    Endpoint("/picture", _picture),
    Endpoint("/graph", _graph),
    Endpoint("/critical-path", _critical_path),
    Endpoint("/cost", _cost),
    Endpoint("/findings", _findings),
    Endpoint("/error-reports", _error_reports),
    Endpoint("/profile", _profile),
    Endpoint("/why-not", _why_not),
    Endpoint("/state", _state),
    Endpoint("/spans/{span:path}", _span),
)
"""Below /traces/{trace_id} and /conversations/{thread}."""

__all__ = ["RUNS"]
