"""Public Python API: recording on and off, and handles on sources, traces, conversations and graphs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_mas.api.agent_profiler import AgentProfiler
    from otel_mas.api.answers import CostTable, CriticalPath, ErrorReports, Profile, Traces
    from otel_mas.api.app_feedback import feedback
    from otel_mas.api.debug_session import DebugSession
    from otel_mas.api.findings import Findings
    from otel_mas.api.graph import Graph
    from otel_mas.api.interaction_graph import InteractionGraph
    from otel_mas.api.lifecycle import flush, instrument, shutdown
    from otel_mas.api.query_answers import Chains, Comparison, Events, Executions, Metrics, Stages, Statistics
    from otel_mas.api.records import EventType, Modality, Records, TokenCost, TraceRecord, read_records
    from otel_mas.api.search import Matches
    from otel_mas.api.source import Source, open  # noqa: A004 - the public name
    from otel_mas.api.sql import SqlRows
    from otel_mas.api.trace import Conversation, SpanMessages, Trace
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
    from otel_mas.receiver.record_logger import MASTraceLogger

__all__ = [
    "AgentProfiler",
    "Chains",
    "Comparison",
    "Conversation",
    "CostTable",
    "CriticalPath",
    "DebugSession",
    "ErrorReports",
    "EventType",
    "Events",
    "Executions",
    "Findings",
    "Graph",
    "InteractionGraph",
    "MASTraceLogger",
    "Matches",
    "Metrics",
    "Modality",
    "Profile",
    "Records",
    "Source",
    "SpanMessages",
    "SqlRows",
    "Stages",
    "Statistics",
    "TokenCost",
    "Trace",
    "TraceRecord",
    "Traces",
    "agent",
    "event",
    "feedback",
    "flush",
    "grade",
    "guardrail",
    "instrument",
    "open",
    "profiled",
    "read_records",
    "receive",
    "retrieval",
    "routing",
    "routing_reason",
    "send",
    "shutdown",
    "stage",
    "state",
    "task",
    "tool",
    "workflow",
]

# Lazy, so that an app that only records never loads what only reading needs (networkx, causal, analyse).
_HOMES = {
    "AgentProfiler": "agent_profiler",
    "Statistics": "query_answers",
    "Stages": "query_answers",
    "Metrics": "query_answers",
    "Executions": "query_answers",
    "Findings": "findings",
    "Events": "query_answers",
    "Comparison": "query_answers",
    "Chains": "query_answers",
    "Conversation": "trace",
    "CostTable": "answers",
    "CriticalPath": "answers",
    "DebugSession": "debug_session",
    "ErrorReports": "answers",
    "EventType": "records",
    "Graph": "graph",
    "InteractionGraph": "interaction_graph",
    "MASTraceLogger": "otel_mas.receiver.record_logger",
    "Profile": "answers",
    "Matches": "search",
    "Modality": "records",
    "Records": "records",
    "Source": "source",
    "SpanMessages": "trace",
    "SqlRows": "sql",
    "TokenCost": "records",
    "Trace": "trace",
    "TraceRecord": "records",
    "Traces": "answers",
    "feedback": "app_feedback",
    "flush": "lifecycle",
    "instrument": "lifecycle",
    "open": "source",
    "read_records": "records",
    "shutdown": "lifecycle",
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
