"""See what caused what in a multi-agent run."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from otel_mas import errors, evaluate, faults, logs
    from otel_mas.api import (
        AgentProfiler,
        Complaint,
        ComplaintLabel,
        DebugSession,
        EventType,
        Finding,
        InteractionGraph,
        MASTraceLogger,
        Modality,
        RunFacts,
        Severity,
        TokenCost,
        TraceRecord,
        TraceReplayEngine,
        Undecided,
        agent,
        budget,
        correlation,
        event,
        extract,
        feedback,
        flush,
        grade,
        guardrail,
        inject,
        instrument,
        open,  # noqa: A004 - the public name
        profiled,
        read_records,
        receive,
        replay,
        retrieval,
        routing,
        routing_reason,
        send,
        shutdown,
        stage,
        state,
        task,
        tool,
        verify_root_cause,
        workflow,
    )

    __version__: str

__all__ = [
    "AgentProfiler",
    "Complaint",
    "ComplaintLabel",
    "DebugSession",
    "EventType",
    "Finding",
    "InteractionGraph",
    "MASTraceLogger",
    "Modality",
    "RunFacts",
    "Severity",
    "TokenCost",
    "TraceRecord",
    "TraceReplayEngine",
    "Undecided",
    "__version__",
    "agent",
    "budget",
    "correlation",
    "errors",
    "evaluate",
    "event",
    "extract",
    "faults",
    "feedback",
    "flush",
    "grade",
    "guardrail",
    "inject",
    "instrument",
    "logs",
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

# Lazy: being installed means being imported by every instrumented process, whether it records or not.
_MODULES = ("errors", "evaluate", "faults", "logs")
_API = frozenset(__all__) - {"__version__", *_MODULES}


def __getattr__(name: str) -> Any:
    if name in _API:
        # Kept, since the next look-up of a mark may be on the app's hot path.
        found = globals()[name] = getattr(import_module("otel_mas.api"), name)
        return found
    if name in _MODULES:
        return import_module(f"otel_mas.{name}")
    if name == "__version__":
        from importlib.metadata import version

        return version("otel-mas")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
