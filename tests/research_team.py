"""A run like that of the example team, written down by hand: two traces of one thread, times in ms from BEGIN."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from otel_mas.model import Link, Span, SpanBody, SpanKind, StatusCode, Trace
from otel_mas.semconv import attributes as names
from otel_mas.store import StoreWriter
from otel_mas.store.columns import column_values
from otel_mas.store.rows import Batch, ContentRow, MessageRefRow, MessageRow, SpanRow

BEGIN = int(datetime(2026, 11, 21, 10, 0, tzinfo=UTC).timestamp()) * 10**9
MS = 10**6
FIRST = "4bf92f3577b34da6a3ce929d0e0e4736"
SECOND = "5c0a83be11d24e7f9a60c1d2e3f40516"
THREAD = "demo-1"
SERVICE = "research-team"
MODEL = "gpt-4o-mini"


class TraceBuilder:
    """Adds spans to a trace; ids count up, so that tests can name them."""

    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id
        self.spans: list[Span] = []

    def span(
        self,
        name: str,
        start: int,
        end: int | None,
        parent: Span | None = None,
        causes: Sequence[tuple[str, Span]] = (),
        attributes: dict[str, Any] | None = None,
        status: StatusCode = StatusCode.UNSET,
    ) -> Span:
        span_id = f"{self.trace_id[:2]}{len(self.spans) + 1:014x}"
        links = tuple(Link(cause.trace_id, cause.span_id, kind) for kind, cause in causes)
        made = Span.complete(
            SpanBody(attributes={names.GEN_AI_CONVERSATION_ID: THREAD, **(attributes or {})}, links=links),
            trace_id=self.trace_id,
            span_id=span_id,
            parent_span_id=None if parent is None else parent.span_id,
            name=name,
            start_ns=BEGIN + start * MS,
            end_ns=None if end is None else BEGIN + end * MS,
            kind=SpanKind.INTERNAL,
            status=status,
            service=SERVICE,
            links=links,
        )
        self.spans.append(made)
        return made

    def task(
        self, node: str, start: int, end: int | None, parent: Span, *causes: tuple[str, Span], **more: Any
    ) -> Span:
        """A node's span; more: its mas.* attributes by short name, `agent=True` where the node is an agent."""
        agent = more.pop("agent", False)
        attributes = {
            names.MAS_RECORD_KIND: "AGENT_TASK",
            names.MAS_TASK_ID: more.pop("id", f"task-{self.trace_id[:2]}-{len(self.spans)}"),
            names.MAS_TASK_NAME: node,
            names.MAS_TASK_NAMESPACE: "",
            names.MAS_TASK_OUTCOME: more.pop("outcome", "ok"),
        }
        if "step" in more:
            attributes[names.MAS_TASK_STEP] = more.pop("step")
        if agent:
            attributes[names.GEN_AI_OPERATION_NAME] = "invoke_agent"
            attributes[names.GEN_AI_AGENT_NAME] = node
        name = f"invoke_agent {node}" if agent else f"task {node}"
        return self.span(name, start, end, parent, causes, attributes, more.pop("status", StatusCode.UNSET))

    def chat(self, start: int, end: int | None, parent: Span, read: int, wrote: int, model: str = MODEL) -> Span:
        price = (read * 0.15 + wrote * 0.6) / 1e6
        known = {names.MAS_COST_USD: price, names.MAS_COST_SIMULATED: True}
        missing = {names.MAS_COST_MISSING: f"no price for {model}"}
        attributes = {
            names.MAS_RECORD_KIND: "LLM_CALL",
            names.GEN_AI_OPERATION_NAME: "chat",
            names.GEN_AI_PROVIDER_NAME: "openai",
            names.GEN_AI_REQUEST_MODEL: model,
            names.GEN_AI_USAGE_INPUT_TOKENS: read,
            names.GEN_AI_USAGE_OUTPUT_TOKENS: wrote,
            **(known if model == MODEL else missing),
        }
        return self.span(f"chat {model}", start, end, parent, attributes=attributes)

    def tool(self, tool: str, start: int, end: int | None, parent: Span) -> Span:
        attributes = {
            names.MAS_RECORD_KIND: "TOOL_CALL",
            names.GEN_AI_OPERATION_NAME: "execute_tool",
            names.GEN_AI_TOOL_NAME: tool,
        }
        return self.span(f"execute_tool {tool}", start, end, parent, attributes=attributes)

    def workflow(self, start: int, end: int | None, outcome: str) -> Span:
        attributes = {
            names.MAS_RECORD_KIND: "WORKFLOW",
            names.GEN_AI_OPERATION_NAME: "invoke_workflow",
            names.MAS_RUN_OUTCOME: outcome,
        }
        return self.span("invoke_workflow research_team", start, end, attributes=attributes)

    def trace(self, incomplete: str | None = None) -> Trace:
        return Trace(self.trace_id, tuple(sorted(self.spans, key=lambda span: span.start_ns)), incomplete)


def research() -> tuple[TraceBuilder, TraceBuilder]:
    """Supervisor → researcher (two tools at once) → plan → summaries by Send → collect → approve, paused; resumed."""
    one = TraceBuilder(FIRST)
    run = one.workflow(0, 6000, "interrupted")
    supervisor = one.task("supervisor", 5, 620, run)
    one.chat(20, 600, supervisor, 412, 18)
    one.span(
        "route choose_specialist",
        605,
        615,
        supervisor,
        attributes={names.MAS_RECORD_KIND: "ROUTING_DECISION", names.MAS_ROUTING_CHOICE: ("researcher",)},
    )
    researcher = one.task("researcher", 625, 3000, run, ("trigger", supervisor), agent=True)
    ask = one.task("model", 630, 1400, researcher, ("trigger", researcher))
    one.chat(640, 1390, ask, 820, 64)
    search = one.task("tools", 1405, 2400, researcher, ("send", ask))
    one.tool("web_search", 1410, 2390, search)
    notes = one.task("tools", 1406, 1800, researcher, ("send", ask))
    one.tool("read_notes", 1410, 1790, notes)
    answer = one.task("model", 2405, 2990, researcher, ("trigger", search), ("trigger", notes))
    one.chat(2410, 2980, answer, 1544, 230)
    plan = one.task("plan", 3005, 3400, run, ("trigger", researcher))
    one.chat(3010, 3390, plan, 610, 41)
    summaries = [
        one.task("summarise", start, end, run, ("send", plan))
        for start, end in ((3405, 4600), (3406, 4400), (3407, 5200))
    ]
    for summary, model in zip(summaries, (MODEL, "in-house-7b", MODEL), strict=True):
        begin, finish = summary.start_ns // MS - BEGIN // MS, (summary.end_ns or 0) // MS - BEGIN // MS
        one.chat(begin + 5, finish - 10, summary, 300, 120, model)
    collect = one.task("collect", 5205, 5300, run, *(("trigger", summary) for summary in summaries))
    one.task("approve", 5305, 5990, run, ("trigger", collect), outcome="interrupted", id="task-approve")
    two = TraceBuilder(SECOND)
    again = two.workflow(65_000, 66_500, "ok")
    approved = two.task("approve", 65_010, 65_100, again, ("trigger", collect), id="task-approve")
    publish = two.task("publish", 65_110, 66_480, again, ("trigger", approved))
    two.chat(65_120, 66_400, publish, 900, 310)
    return one, two


def research_traces() -> tuple[Trace, Trace]:
    one, two = research()
    return one.trace(), two.trace()


def write(path: Path, run_id: str = "run-1", traces: Sequence[Trace] | None = None, service: str = SERVICE) -> Path:
    """Write the traces (the research team's two by default) into a store, as one run, with what was asked and said."""
    writer = StoreWriter(
        path,
        instance_id=run_id.encode().ljust(16, b"\0"),
        run_id=run_id,
        service=service,
        max_bytes=2**30,
        max_age_ns=10**18,
        clock=lambda: BEGIN + 70_000 * MS,
    )
    resource = writer.resource({"service.name": service}, "", b"")
    scope = writer.scope("otel_mas", "0.1.0", {}, "")
    spans = [span for trace in (research_traces() if traces is None else traces) for span in trace.spans]
    batch = Batch(
        spans=[_row(span, resource, scope) for span in spans if span.end_ns is not None],
        contents=[
            ContentRow(*_ids(span), names.MAS_INTERRUPT_VALUES, b'["Publish this?"]')
            for span in spans
            if span.columns.get(names.MAS_TASK_OUTCOME) == "interrupted"
        ],
        incomplete={bytes.fromhex(t.trace_id): t.incomplete for t in traces or () if t.incomplete},
    )
    if traces is None:
        asked, text = (bytes([number]) * 16 for number in (1, 2))
        chat = next(span for span in spans if span.name.startswith("chat"))
        batch.messages = [
            MessageRow(asked, "user", b'{"role":"user","parts":[{"type":"text","content":"Tides?"}]}'),
            MessageRow(text, "assistant", None),
        ]
        batch.message_refs = [MessageRefRow(*_ids(chat), 0, 0, asked), MessageRefRow(*_ids(chat), 1, 0, text)]
    writer.write(batch)
    writer.finish((), 0)
    writer.close()
    return path


def _ids(span: Span) -> tuple[bytes, bytes]:
    return bytes.fromhex(span.trace_id), bytes.fromhex(span.span_id)


def _row(span: Span, resource: int, scope: int) -> SpanRow:
    trace_id, span_id = _ids(span)
    parent = None if span.parent_span_id is None else bytes.fromhex(span.parent_span_id)
    links = tuple((bytes.fromhex(link.trace_id), bytes.fromhex(link.span_id), link.kind) for link in span.links)
    message = OtlpSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent or b"",
        name=span.name,
        kind=int(span.kind),
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns or 0,
        attributes=[KeyValue(key=key, value=_value(value)) for key, value in span.attributes.items()],
        links=[OtlpSpan.Link(trace_id=trace, span_id=cause) for trace, cause, _ in links],
    )
    return SpanRow(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent,
        name=span.name,
        kind=int(span.kind),
        start_ns=span.start_ns,
        end_ns=span.end_ns or 0,
        status=int(span.status),
        columns=column_values(span.attributes),
        links=links,
        body=message.SerializeToString(),
        resource=resource,
        scope=scope,
    )


def _value(value: Any) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, (list, tuple)):
        return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
    return AnyValue(string_value=str(value))
