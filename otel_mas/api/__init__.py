"""Public Python API: recording on and off, and handles on sources, traces, conversations and graphs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_mas.analyse.complaints import Complaint, ComplaintLabel
    from otel_mas.analyse.findings import RunFacts
    from otel_mas.api.agent_profiler import AgentProfiler
    from otel_mas.api.answers import CostTable, CriticalPath, ErrorReports, Profile, Traces
    from otel_mas.api.app_feedback import feedback
    from otel_mas.api.debug_session import DebugSession
    from otel_mas.api.findings import Explanation, FindingGroups, Findings
    from otel_mas.api.graph import Graph
    from otel_mas.api.interaction_graph import InteractionGraph
    from otel_mas.api.lifecycle import flush, instrument, shutdown
    from otel_mas.api.query_answers import (
        Chains,
        Comparison,
        Events,
        Executions,
        Metrics,
        Outcomes,
        Stages,
        Statistics,
    )
    from otel_mas.api.records import EventType, Modality, Records, TokenCost, TraceRecord, read_records
    from otel_mas.api.search import Matches
    from otel_mas.api.source import Source, open  # noqa: A004 - the public name
    from otel_mas.api.sql import SqlRows
    from otel_mas.api.trace import Conversation, SpanMessages, Trace
    from otel_mas.api.trace_replay import TraceReplayEngine, replay
    from otel_mas.api.verification import verify_root_cause
    from otel_mas.api.what_if import WhatIf
    from otel_mas.instrumentation.budgets import budget
    from otel_mas.instrumentation.marks import (
        agent,
        event,
        grade,
        guardrail,
        profiled,
        receive,
        retrieval,
        routing,
        routing_reason,
        send,
        stage,
        state,
        task,
        tool,
        workflow,
    )
    from otel_mas.instrumentation.propagation.carrier import extract, inject
    from otel_mas.instrumentation.propagation.correlation import correlation
    from otel_mas.model import Finding, Severity, Undecided
    from otel_mas.receiver.record_logger import MASTraceLogger

__all__ = [
    "AgentProfiler",
    "Chains",
    "Comparison",
    "Complaint",
    "ComplaintLabel",
    "Conversation",
    "CostTable",
    "CriticalPath",
    "DebugSession",
    "ErrorReports",
    "EventType",
    "Events",
    "Executions",
    "Explanation",
    "Finding",
    "FindingGroups",
    "Findings",
    "Graph",
    "InteractionGraph",
    "MASTraceLogger",
    "Matches",
    "Metrics",
    "Modality",
    "Outcomes",
    "Profile",
    "Records",
    "RunFacts",
    "Severity",
    "Source",
    "SpanMessages",
    "SqlRows",
    "Stages",
    "Statistics",
    "TokenCost",
    "Trace",
    "TraceRecord",
    "TraceReplayEngine",
    "Traces",
    "Undecided",
    "WhatIf",
    "agent",
    "budget",
    "correlation",
    "event",
    "extract",
    "feedback",
    "flush",
    "grade",
    "guardrail",
    "inject",
    "instrument",
    "open",
    "profiled",
    "read_records",
    "receive",
    "replay",
    "retrieval",
    "routing",
    "routing_reason",
    "send",
    "shutdown",
    "stage",
    "state",
    "task",
    "tool",
    "verify_root_cause",
    "workflow",
]

# Lazy, so that an app that only records never loads what only reading needs (networkx, causal, analyse).
_HOMES = {
    "AgentProfiler": "agent_profiler",
    "Chains": "query_answers",
    "Comparison": "query_answers",
    "ComplaintLabel": "otel_mas.analyse.complaints",
    "Conversation": "trace",
    "CostTable": "answers",
    "CriticalPath": "answers",
    "DebugSession": "debug_session",
    "ErrorReports": "answers",
    "EventType": "records",
    "Events": "query_answers",
    "Executions": "query_answers",
    "Explanation": "findings",
    "Finding": "otel_mas.model",
    "FindingGroups": "findings",
    "Findings": "findings",
    "Graph": "graph",
    "InteractionGraph": "interaction_graph",
    "MASTraceLogger": "otel_mas.receiver.record_logger",
    "Complaint": "otel_mas.analyse.complaints",
    "Matches": "search",
    "Metrics": "query_answers",
    "Outcomes": "query_answers",
    "Modality": "records",
    "Profile": "answers",
    "Records": "records",
    "RunFacts": "otel_mas.analyse.findings",
    "Severity": "otel_mas.model",
    "Source": "source",
    "SpanMessages": "trace",
    "SqlRows": "sql",
    "Stages": "query_answers",
    "Statistics": "query_answers",
    "TokenCost": "records",
    "Trace": "trace",
    "TraceRecord": "records",
    "TraceReplayEngine": "trace_replay",
    "Traces": "answers",
    "Undecided": "otel_mas.model",
    "WhatIf": "what_if",
    "budget": "otel_mas.instrumentation.budgets",
    "correlation": "otel_mas.instrumentation.propagation.correlation",
    "extract": "otel_mas.instrumentation.propagation.carrier",
    "feedback": "app_feedback",
    "flush": "lifecycle",
    "inject": "otel_mas.instrumentation.propagation.carrier",
    "instrument": "lifecycle",
    "open": "source",
    "read_records": "records",
    "replay": "trace_replay",
    "shutdown": "lifecycle",
    "verify_root_cause": "verification",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        if name in __all__:
            return getattr(import_module("otel_mas.instrumentation.marks"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    return getattr(import_module(home if "." in home else f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
