"""A scripted model, a small state and the record of one run, for the tests of decisions and guardrails."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypedDict

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langchain_core.runnables import Runnable
from langgraph.graph import StateGraph
from langgraph.graph.message import add_messages

import otel_mas
from otel_mas.api import Trace
from otel_mas.model import Span, TraceSummary
from otel_mas.semconv import attributes as names


class Scripted(GenericFakeChatModel):
    """Says what it is given to say, whatever it is asked."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=tools, **kwargs)


def saying(*messages: AIMessage) -> Scripted:
    return Scripted(messages=iter(messages))


def answer(schema: str, **fields: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": schema, "args": fields, "id": "call_1"}])


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    next: str
    documents: list[str]


class Recorded:
    """The record of one invocation in the store."""

    def __init__(self, path: Path) -> None:
        assert otel_mas.flush(30)
        self._source = otel_mas.open(path)
        self.trace: Trace = self._source.latest()

    @property
    def summary(self) -> TraceSummary:
        """The line that a list shows about the trace."""
        return next(one for one in self._source.traces() if one.trace_id == self.trace.trace_id)

    def kind(self, kind: str) -> list[Span]:
        return [span for span in self.trace.spans if span.record_kind == kind]

    def decisions(self) -> list[tuple[str, tuple[str, ...], str | None]]:
        """(function, choice, reason) of each routing decision."""
        return [
            (
                span.attributes[names.MAS_ROUTING_FUNCTION],
                tuple(span.attributes[names.MAS_ROUTING_CHOICE]),
                self.trace.contents(span).get(names.MAS_ROUTING_REASON),
            )
            for span in self.kind("ROUTING_DECISION")
        ]

    def grades(self) -> list[tuple[Any, ...]]:
        """(name, score, label, explanation) of each evaluation."""
        return [
            (
                span.attributes[names.GEN_AI_EVALUATION_NAME],
                span.attributes.get(names.GEN_AI_EVALUATION_SCORE_VALUE),
                span.attributes.get(names.GEN_AI_EVALUATION_SCORE_LABEL),
                self.trace.contents(span).get(names.GEN_AI_EVALUATION_EXPLANATION),
            )
            for span in self.kind("EVALUATION")
        ]

    def guardrails(self) -> list[tuple[Any, ...]]:
        """(name, target, verdict, reason) of each guardrail."""
        return [
            (
                span.attributes[names.MAS_GUARDRAIL_NAME],
                span.attributes[names.MAS_GUARDRAIL_TARGET],
                span.attributes.get(names.MAS_GUARDRAIL_VERDICT),
                self.trace.contents(span).get(names.MAS_GUARDRAIL_REASON),
            )
            for span in self.kind("GUARDRAIL")
        ]

    def parent(self, span: Span) -> Span:
        return self.trace.span(span.parent_span_id or "")


def run(graph: StateGraph[Any, Any, Any, Any]) -> None:
    graph.compile().invoke({"messages": [HumanMessage("hi")]})


def nothing(state: State) -> State:
    return {}
