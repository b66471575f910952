"""Answers about one run: a trace or a conversation."""

from __future__ import annotations

from typing import Annotated

from otel_mas.otlp.span_document import span_document
from otel_mas.report import json
from otel_mas.report.json.errors import ErrorsDocument, errors
from otel_mas.report.json.findings import finding
from otel_mas.report.json.log import entry
from otel_mas.report.json.message_flow import MessagesDocument, message_flow
from otel_mas.report.json.picture import PictureDocument, picture
from otel_mas.report.json.profile import ProfileDocument, profile
from otel_mas.report.json.span import SpanDetailsDocument, span_details
from otel_mas.report.json.state import StateDocument, state
from otel_mas.report.json.what_if import WhatIfDocument, what_if
from otel_mas.report.json.why_not import WhyNotDocument, why_not
from otel_mas.server.api.cursors import EntryPlace
from otel_mas.server.api.endpoints import Endpoint
from otel_mas.server.api.errors import BadRequest
from otel_mas.server.api.forms import FeedbackDocument, FeedbackForm, FindingsDocument, LogPage, OtlpDocument
from otel_mas.server.api.served import ServedRun

MOST_ENTRIES = 1_000


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
    found = served.run.findings(codes=code) if code else served.findings()
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


def _log(
    served: ServedRun,
    agent: Annotated[str | None, "Only of this agent or task, or to or from it."] = None,
    tool: Annotated[str | None, "Only calls of this tool, and their results."] = None,
    model: Annotated[str | None, "Only prompts to this model, and its answers."] = None,
    kind: Annotated[list[str], "Only of this kind; several add up."] = [],  # noqa: B006
    grep: Annotated[str | None, "Only with this text in it, in any case."] = None,
    full: Annotated[bool, "Whole prompts, also what their reader knew."] = False,
    limit: Annotated[int, f"How many entries at most, {MOST_ENTRIES:,} or fewer."] = 200,
    cursor: Annotated[str | None, "Continue after a part: its `next`."] = None,
) -> LogPage:
    """Interaction log: everything that was said and done, in causal order."""
    if not 1 <= limit <= MOST_ENTRIES:
        raise BadRequest(f"limit is {limit}: give 1 to {MOST_ENTRIES:,}")
    run = served.run
    chosen = {"agent": agent, "tool": tool, "model": model, "kinds": tuple(kind), "grep": grep, "full": full}
    entries = served.once(f"log {chosen}", lambda: run.log(**chosen))  # type: ignore[arg-type]
    begin = 0 if cursor is None else EntryPlace.parse(cursor).following(entries)
    part = entries[begin : begin + limit]
    more = begin + limit < len(entries)
    return {
        "entries": [entry(one) for one in part],
        "next": str(EntryPlace.at(entries, begin + limit - 1)) if more else None,
        "problems": list(run.problems),
    }


def _messages(served: ServedRun) -> MessagesDocument:
    """Flow of messages: who wrote each one, and who read it, when."""
    return message_flow(served.run.graph().causal, served.run._content, served.run.problems)


def _what_if(
    served: ServedRun,
    faster: Annotated[list[str], "NAME=TIMES: so many times as fast, with all that is inside."] = [],  # noqa: B006
    lasting: Annotated[list[str], "NAME=DURATION: takes this long each time, as 200ms."] = [],  # noqa: B006
    parallel: Annotated[list[str], "NAME,NAME: run side by side, if nothing holds them."] = [],  # noqa: B006
    without: Annotated[list[str], "NAME: takes no time and costs nothing."] = [],  # noqa: B006
    model: Annotated[list[str], "MODEL=MODEL: the second in place of the first."] = [],  # noqa: B006
    retries: Annotated[bool, "false: every attempt that was repeated had worked at once."] = True,
    waiting: Annotated[bool, "false: no wait for people, the next invocation, or the next attempt."] = True,
    barriers: Annotated[bool, "false: tasks wait for their causes alone, not for LangGraph's steps."] = True,
) -> WhatIfDocument:
    """The run under changes: how long it would have taken, and what it would have cost."""
    graph = served.run.graph()
    answer = graph.what_if(
        faster={name: _number(name, value) for name, value in _pairs("faster", faster).items()},
        lasting=_pairs("lasting", lasting),
        parallel=[[name.strip() for name in one.split(",") if name.strip()] for one in parallel],
        without=without,
        models=_pairs("model", model),
        retries=retries,
        waiting=waiting,
        barriers=barriers,
    )
    return what_if(answer, graph.causal, served.run.problems)


def _pairs(parameter: str, given: list[str]) -> dict[str, str]:
    """Values of the form NAME=VALUE by name; the name may have a = in it."""
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.rpartition("=")
        if not equals or not name.strip() or not value.strip():
            raise BadRequest(f"{parameter} is {one!r}: write NAME=VALUE")
        found[name] = value
    return found


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise BadRequest(f"faster is {name}={value}: write a number, as {name}=2") from None


def _feedback(served: ServedRun, span: str, body: FeedbackForm) -> FeedbackDocument:
    """Record a judgement of a span in the store: the only thing that writes."""
    judged = served.run.span(span)
    given = {name: value for name, value in body.items() if value is not None}
    label, score = given.pop("label", None), given.pop("score", None)
    span_id = served.run.mark(label, score=score, span=judged.span_id, **given)  # type: ignore[arg-type]
    return {"trace_id": judged.trace_id, "span_id": span_id}


def _otlp(served: ServedRun, span: str) -> OtlpDocument:
    """One span as OTLP/JSON, with everything that it was sent with."""
    return {"resourceSpans": span_document(served.run.span(span))["resourceSpans"]}


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
    Endpoint("/log", _log),
    Endpoint("/messages", _messages),
    Endpoint("/what-if", _what_if),
    Endpoint("/spans/{span:path}/feedback", _feedback, "post", body=FeedbackForm),
    Endpoint("/spans/{span:path}/otlp", _otlp),
    Endpoint("/spans/{span:path}", _span),
)
"""Below /traces/{trace_id} and /conversations/{thread}."""

__all__ = ["RUNS"]
