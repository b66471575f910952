"""A conversation of two traces, made by hand, with its true graph; and a trace of services that know nothing of us.

The first trace plans, sends to two cooks, joins, and pauses to ask; the second resumes it in another process, hands
off, and a tool fails.
"""

from __future__ import annotations

import json

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from otel_mas.model import TraceSummary
from otel_mas.semconv import attributes as names
from tests.conformance.messages import BASE_NS, MS, OURS, export, link, pairs, process, span, span_id, trace_id

ASKING, RESUMED, FOREIGN = 1, 2, 3
THREAD, SERVICE, RUN = "table 7/ünï", "canteen", "run-7"

_TASK = names.MAS_TASK_ID
_NAME = names.MAS_TASK_NAME
_OUTCOME = names.MAS_TASK_OUTCOME
_KIND = names.MAS_RECORD_KIND
_OPERATION = names.GEN_AI_OPERATION_NAME
_CALL = Span.SPAN_KIND_CLIENT


def _task(task: str, name: str, outcome: str = "ok", **more: object) -> dict[str, object]:
    return {_KIND: "AGENT_TASK", _TASK: task, _NAME: name, _OUTCOME: outcome, names.MAS_TASK_STEP: 1, **more}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}


def _model(model: str, read: int, wrote: int, cost: float | None) -> dict[str, object]:
    priced = {} if cost is None else {names.MAS_COST_USD: cost}
    return {
        _KIND: "LLM_CALL",
        _OPERATION: "chat",
        names.GEN_AI_REQUEST_MODEL: model,
        names.GEN_AI_USAGE_INPUT_TOKENS: read,
        names.GEN_AI_USAGE_OUTPUT_TOKENS: wrote,
        names.GEN_AI_RESPONSE_FINISH_REASONS: ("stop",),
        names.MAS_INPUT_MESSAGES: ("0a" * 16, "0b" * 16),
        names.MAS_OUTPUT_MESSAGES: ("0c" * 16,),
        names.GEN_AI_SYSTEM_INSTRUCTIONS: json.dumps([_text("Plan a lunch.")]),
        names.GEN_AI_INPUT_MESSAGES: json.dumps([{"role": "user", "parts": [_text("For seven, läte.")]}]),
        names.GEN_AI_OUTPUT_MESSAGES: json.dumps(
            [{"role": "assistant", "parts": [_text("Soup.")], "finish_reason": "stop"}]
        ),
        **priced,
    }


_ASKING = process(
    {names.SERVICE_NAME: SERVICE, names.MAS_RUN_ID: RUN},
    [
        span(
            ASKING, 1, "invoke_workflow lunch", 0, 1000,
            attributes={
                _KIND: "WORKFLOW", _OPERATION: "invoke_workflow", names.GEN_AI_CONVERSATION_ID: THREAD,
                names.MAS_RUN_OUTCOME: "interrupted", names.MAS_CHECKPOINT_LAST_ID: "checkpoint-9",
                names.MAS_CHECKPOINT_PENDING: (f"dessert=trigger={trace_id(ASKING)}-{span_id(2)}",),
            },
        ),
        span(ASKING, 2, "task plan", 10, 200, parent=1, attributes=_task("t1", "plan")),
        span(ASKING, 3, "chat gpt-5", 20, 190, parent=2, attributes=_model("gpt-5", 120, 30, 0.25), kind=_CALL),
        span(ASKING, 4, "task cook", 210, 400, parent=1, attributes=_task("t2", "cook"), causes=[(ASKING, 2, "send")]),
        span(ASKING, 5, "task cook", 210, 500, parent=1, attributes=_task("t3", "cook"), causes=[(ASKING, 2, "send")]),
        span(ASKING, 6, "chat local", 220, 390, parent=4, attributes=_model("local", 7, 3, None), kind=_CALL),
        span(
            ASKING, 7, "task serve", 510, 900, parent=1,
            attributes=_task("t4", "serve", "interrupted", **{names.MAS_INTERRUPT_IDS: ("ask-1",)}),
            causes=[(ASKING, 4, "trigger"), (ASKING, 5, "trigger")],
        ),
    ],
    scope=OURS,
)  # fmt: skip

_RESUMED = process(
    {names.SERVICE_NAME: SERVICE},
    [
        span(
            RESUMED, 11, "invoke_workflow lunch", 60_000, 62_000, error="tool failed",
            attributes={
                _KIND: "WORKFLOW", _OPERATION: "invoke_workflow", names.GEN_AI_CONVERSATION_ID: THREAD,
                names.MAS_RUN_OUTCOME: "error", names.MAS_CHECKPOINT_ID: "checkpoint-9",
            },
        ),
        span(
            RESUMED, 12, "task serve", 60_010, 60_500, parent=11, attributes=_task("t4", "serve", "handoff"),
            causes=[(ASKING, 7, "resume"), (ASKING, 4, "trigger"), (ASKING, 5, "trigger")],
        ),
        span(
            RESUMED, 13, "task dessert", 60_010, 60_400, parent=11,
            attributes=_task("t5", "dessert", **{names.MAS_CAUSE_REFS: ("trigger|checkpoint-9|dessert",)}),
        ),
        span(
            RESUMED, 14, "invoke_agent waiter", 60_510, 61_900, parent=11, error="tool failed",
            attributes=_task("t6", "waiter", "error", **{
                _OPERATION: "invoke_agent", names.GEN_AI_AGENT_NAME: "waiter", names.GEN_AI_CONVERSATION_ID: THREAD,
                names.MAS_ERROR_SPAN: f"{trace_id(RESUMED)}-{span_id(15)}",
            }),
            causes=[(RESUMED, 12, "handoff")],
        ),
        span(
            RESUMED, 15, "execute_tool tray", 60_600, 61_800, parent=14, error="dropped it",
            attributes={
                _KIND: "TOOL_CALL", _OPERATION: "execute_tool", names.GEN_AI_TOOL_NAME: "tray",
                names.ERROR_TYPE: "kitchen.TrayDropped",
                names.GEN_AI_TOOL_CALL_ARGUMENTS: '{"plates":7}', names.GEN_AI_TOOL_CALL_RESULT: '"all broken"',
            },
            causes=[(RESUMED, 14, "call")],
            events=[
                Span.Event(
                    name="exception", time_unix_nano=BASE_NS + 61_000 * MS,
                    attributes=pairs({names.EXCEPTION_MESSAGE: "it was slippery"}),
                )
            ],
        ),
    ],
    scope=OURS,
)  # fmt: skip

_GATEWAY = process(
    {"service.name": "gateway", "service.instance.id": "g-1"},
    [
        span(FOREIGN, 21, "GET /menu", 120_000, 120_300, kind=Span.SPAN_KIND_SERVER),
        span(FOREIGN, 22, "call kitchen", 120_010, 120_200, parent=21, kind=Span.SPAN_KIND_CLIENT),
    ],
)
_KITCHEN = process(
    {"service.name": "kitchen"},
    [
        span(
            FOREIGN, 23, "serve menu", 120_020, 120_150, parent=22, kind=Span.SPAN_KIND_SERVER,
            attributes={
                names.GEN_AI_AGENT_NAME: "chef",
                names.GEN_AI_INPUT_MESSAGES: json.dumps([{"role": "user", "parts": [_text("The menu?")]}]),
                "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Soup.",
                "input.value": "a menu",
            },
            links=[link(ASKING, 1, {"why": "same table"})],
        ),
    ],
)  # fmt: skip

EXPORTS = (export(_ASKING), export(_RESUMED), export(_KITCHEN), export(_GATEWAY))
"""As they would arrive: one request for each process."""

PROCESSES: tuple[ResourceSpans, ...] = (_ASKING, _RESUMED, _KITCHEN, _GATEWAY)


def _edges(*edges: tuple[int, int, str, str]) -> set[tuple[str, str, str, str]]:
    return {(span_id(cause), span_id(effect), kind, provenance) for cause, effect, kind, provenance in edges}


CONVERSATION_EDGES = _edges(
    (1, 2, "child", "recorded"),
    (2, 3, "child", "recorded"),
    (1, 4, "child", "recorded"),
    (1, 5, "child", "recorded"),
    (4, 6, "child", "recorded"),
    (1, 7, "child", "recorded"),
    (2, 4, "send", "recorded"),
    (2, 5, "send", "recorded"),
    (4, 7, "trigger", "recorded"),
    (5, 7, "trigger", "recorded"),
    (11, 12, "child", "recorded"),
    (11, 13, "child", "recorded"),
    (11, 14, "child", "recorded"),
    (14, 15, "child", "recorded"),
    (7, 12, "resume", "recorded"),
    (4, 12, "trigger", "recorded"),
    (5, 12, "trigger", "recorded"),
    (2, 13, "trigger", "metadata"),
    (12, 14, "handoff", "recorded"),
    (14, 15, "call", "recorded"),
)

SUMMARIES = {
    ASKING: TraceSummary(
        trace_id=trace_id(ASKING), name="invoke_workflow lunch", service=SERVICE,
        start_ns=BASE_NS, end_ns=BASE_NS + 1000 * MS, status="interrupted", span_count=7,
        conversation_id=THREAD, input_tokens=127, output_tokens=33, cost_usd=0.25, unpriced_calls=1,
    ),
    RESUMED: TraceSummary(
        trace_id=trace_id(RESUMED), name="invoke_workflow lunch", service=SERVICE,
        start_ns=BASE_NS + 60_000 * MS, end_ns=BASE_NS + 62_000 * MS, status="error", span_count=5, error_count=3,
        agents=("waiter",), conversation_id=THREAD,
    ),
    FOREIGN: TraceSummary(
        trace_id=trace_id(FOREIGN), name="GET /menu", service="gateway",
        start_ns=BASE_NS + 120_000 * MS, end_ns=BASE_NS + 120_300 * MS, status="ok", span_count=3, agents=("chef",),
    ),
}  # fmt: skip
