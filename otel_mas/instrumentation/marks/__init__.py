"""What an app marks by hand, with or without a framework, in the words that instrumented spans are told in."""

from otel_mas.instrumentation.marks.checks import grade, guardrail
from otel_mas.instrumentation.marks.kinds import agent, retrieval, task, tool, workflow
from otel_mas.instrumentation.marks.notes import event, stage, state
from otel_mas.instrumentation.marks.passing import receive, send
from otel_mas.instrumentation.marks.routing import routing, routing_reason

__all__ = [
    "agent",
    "event",
    "grade",
    "guardrail",
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
