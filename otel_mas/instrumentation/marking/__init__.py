"""What an app marks by hand, with or without a framework, in the words that instrumented spans are told in."""

from otel_mas.instrumentation.marking.checks import grade, guardrail
from otel_mas.instrumentation.marking.kinds import agent, retrieval, task, tool, workflow
from otel_mas.instrumentation.marking.notes import event, stage, state
from otel_mas.instrumentation.marking.passing import receive, send
from otel_mas.instrumentation.marking.routing import routing, routing_reason

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
