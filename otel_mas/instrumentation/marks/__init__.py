"""Marks in the app's own code, with or without a framework, with the attributes of instrumented spans."""

from otel_mas.instrumentation.marks.checks import grade, guardrail
from otel_mas.instrumentation.marks.events import event, stage, state
from otel_mas.instrumentation.marks.kinds import agent, retrieval, task, tool, workflow
from otel_mas.instrumentation.marks.profiled import profiled
from otel_mas.instrumentation.marks.routing import routing, routing_reason
from otel_mas.instrumentation.marks.send_receive import receive, send

__all__ = [
    "agent",
    "event",
    "grade",
    "guardrail",
    "profiled",
    "receive",
    "retrieval",
    "routing",
    "routing_reason",
    "send",
    "stage",
    "state",
    "task",
    "tool",
    "workflow",
]
