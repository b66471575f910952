"""Forms of documents that only the API has; all others are those of `--json`."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from otel_mas.report.json import TraceForm
from otel_mas.report.json.fields import PROBLEMS
from otel_mas.report.json.findings import FindingForm, UndecidedForm
from otel_mas.report.json.log import EntryForm

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
    resource: Annotated[dict[str, Any], "attributes of the process, by name"]
    scope: Annotated[dict[str, Any], "name, version and attributes of the instrumentation scope"]
    span: Annotated[dict[str, Any], "the span in OTLP's JSON"]


__all__ = ["FindingsDocument", "InfoDocument", "LogPage", "OtlpDocument", "TracesPage"]
