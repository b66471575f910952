"""Spans in a line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from otel_mas.causal import CausalGraph, build
from otel_mas.model import Link, Span, StatusCode, Trace
from otel_mas.semconv import attributes as names

AGENT = {names.MAS_RECORD_KIND: "AGENT_TASK", names.GEN_AI_OPERATION_NAME: "invoke_agent"}


class Made:
    """Makes spans and graphs of one trace."""

    def span(
        self,
        span_id: str,
        start: int,
        end: int | None,
        parent: str | None = None,
        *,
        causes: Sequence[tuple[str, str]] = (),
        failed: bool = False,
        **columns: Any,
    ) -> Span:
        """`causes` are (kind, span id); columns are named with `_` for `.`."""
        attributes = {key if "." in key else f"mas.{key.replace('_', '.')}": value for key, value in columns.items()}
        links = tuple(Link("t1", cause, kind) for kind, cause in causes)
        status = StatusCode.ERROR if failed else StatusCode.UNSET
        return Span("t1", span_id, parent, span_id, start, end, status=status, links=links, columns=attributes)

    def task(self, span_id: str, start: int, end: int, parent: str | None = None, **more: Any) -> Span:
        """A task named as its id without a number: `write1` runs `write`."""
        name = span_id.rstrip("0123456789")
        kinds = {"record_kind": "AGENT_TASK", "task_id": span_id, "task_name": name, **more}
        return self.span(span_id, start, end, parent, **kinds)

    def agent(self, span_id: str, start: int, end: int, parent: str | None = None, **more: Any) -> Span:
        """A task that is the agent of its name."""
        name = span_id.rstrip("0123456789")
        return self.task(span_id, start, end, parent, **AGENT, **{names.GEN_AI_AGENT_NAME: name}, **more)

    def call(self, span_id: str, start: int, end: int, parent: str | None = None, **more: Any) -> Span:
        """A call of the model `small`."""
        kinds = {
            names.MAS_RECORD_KIND: "LLM_CALL",
            names.GEN_AI_OPERATION_NAME: "chat",
            names.GEN_AI_REQUEST_MODEL: "small",
            names.GEN_AI_USAGE_INPUT_TOKENS: 10,
            names.GEN_AI_USAGE_OUTPUT_TOKENS: 1,
        }
        return self.span(span_id, start, end, parent, **kinds, **more)

    def tool(self, span_id: str, start: int, end: int, parent: str | None = None, **more: Any) -> Span:
        """A call of the tool that its id names."""
        kinds = {names.MAS_RECORD_KIND: "TOOL_CALL", names.GEN_AI_TOOL_NAME: span_id.rstrip("0123456789")}
        return self.span(span_id, start, end, parent, **kinds, **more)

    def retrieval(self, span_id: str, start: int, end: int, parent: str | None = None, **more: Any) -> Span:
        """A call of the retriever that its id names."""
        kinds = {names.MAS_RECORD_KIND: "RETRIEVAL", names.GEN_AI_DATA_SOURCE_ID: span_id.rstrip("0123456789")}
        return self.span(span_id, start, end, parent, **kinds, **more)

    def graph(self, *spans: Span) -> CausalGraph:
        return build([Trace("t1", tuple(sorted(spans, key=lambda span: span.start_ns)))])


@pytest.fixture(scope="session")
def made() -> Made:
    return Made()
