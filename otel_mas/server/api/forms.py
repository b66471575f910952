"""Forms of documents that only the API has; all others are those of `--json`."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from otel_mas.report.json import TraceForm
from otel_mas.report.json.fields import PROBLEMS, TIME
from otel_mas.report.json.findings import FindingForm, UndecidedForm
from otel_mas.report.json.log import EntryForm
from otel_mas.report.json.query import StatisticsForm

NEXT = "for the parameter `cursor`, which continues after this part; null at the end"
LIVE = "of the live stream: it goes on from here; null where the source has none"


class TracesPage(TypedDict):
    traces: Annotated[list[TraceForm], "newest first"]
    incomplete: Annotated[str | None, "which traces the source may have left out, in words; null where none"]
    next: Annotated[str | None, NEXT]
    cursor: Annotated[str | None, LIVE]


class LogPage(TypedDict):
    entries: Annotated[list[EntryForm], "in causal order"]
    next: Annotated[str | None, NEXT]
    problems: Annotated[list[str], PROBLEMS]


class FindingsDocument(TypedDict):
    findings: Annotated[list[FindingForm], "the worst first"]
    undecided: Annotated[list[UndecidedForm], "what the recording cannot tell, and why"]
    problems: Annotated[list[str], PROBLEMS]


class InfoDocument(TypedDict):
    version: Annotated[str, "of otel-mas"]
    location: Annotated[str, "the path or address that traces are read from"]
    receiving: Annotated[bool, "whether it takes traces over OTLP, too"]
    live: Annotated[bool, "whether there is a live stream"]
    feedback: Annotated[bool, "whether feedback can be recorded"]
    filters: Annotated[list[str], "parameters by which traces can be selected"]
    conversations: Annotated[bool, "whether conversations can be found"]
    content: Annotated[bool, "whether there are messages and other content"]
    now_ns: Annotated[int, "the server's clock: nanoseconds since the Unix epoch"]
    cursor: Annotated[str | None, LIVE]


class OtlpDocument(TypedDict):
    resourceSpans: Annotated[list[dict[str, Any]], "OTLP/JSON: the resource, scope and span"]


class ConversationForm(TypedDict):
    thread: Annotated[str, "`gen_ai.conversation.id`; for LangGraph the `thread_id`"]
    service: Annotated[str, "`service.name`"]
    traces: Annotated[int, "number of its traces among those that were looked at"]
    start_ns: Annotated[int, f"start of the first of them{TIME}"]
    end_ns: Annotated[int | None, f"end of the last of them{TIME}; null while one runs"]
    status: Annotated[str, "that of its last trace"]
    error_count: Annotated[int, "number of failed spans"]
    input_tokens: Annotated[int, "tokens that models read"]
    output_tokens: Annotated[int, "tokens that models wrote"]
    cost_usd: Annotated[float | None, "USD of the calls that have a price; null where none has"]


class ConversationsDocument(TypedDict):
    conversations: Annotated[list[ConversationForm], "the one with the newest trace first"]
    limited: Annotated[bool, "there may be more, or more traces of these, than were looked at"]
    incomplete: Annotated[str | None, "which traces the source may have left out, in words; null where none"]


class OverviewDocument(TypedDict):
    statistics: Annotated[list[StatisticsForm], "the one with the most time first"]
    runs: Annotated[int, "number of traces that were read"]
    limited: Annotated[bool, "older traces may match that were not read; `limit` reads more"]
    incomplete: Annotated[str | None, "what the source may have left out, in words; null where nothing"]


class FeedbackForm(TypedDict):
    label: NotRequired[Annotated[str | None, "the judgement as a word: wrong, missing, late, right, or another one"]]
    score: NotRequired[Annotated[float | None, "the judgement as a number"]]
    reason: NotRequired[Annotated[str | None, "why; secrets are taken out"]]
    name: NotRequired[Annotated[str | None, "the quality that is judged; feedback by default"]]
    author: NotRequired[Annotated[str | None, "the one who judges"]]


class FeedbackDocument(TypedDict):
    trace_id: Annotated[str, "32 hex digits"]
    span_id: Annotated[str, "id of the span that holds the judgement"]


__all__ = [
    "ConversationForm",
    "ConversationsDocument",
    "FeedbackDocument",
    "FeedbackForm",
    "FindingsDocument",
    "InfoDocument",
    "LogPage",
    "OtlpDocument",
    "OverviewDocument",
    "TracesPage",
]
