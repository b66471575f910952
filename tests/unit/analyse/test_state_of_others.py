"""Values that tasks of LangGraph wrote, in traces of other instrumentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_mas.analyse.content import NO_CONTENT
from otel_mas.analyse.state.values import StateValues, value_text, written_channels
from otel_mas.model import Scope, Span, SpanBody
from otel_mas.semconv import attributes as names


def task(output: Any, scope: str = "openinference.instrumentation.langchain") -> Span:
    metadata = {"langgraph_node": "writer", "langgraph_step": 1, "langgraph_checkpoint_ns": "writer:1"}
    said = {"openinference.span.kind": "CHAIN", "metadata": json.dumps(metadata), "output.value": json.dumps(output)}
    columns = {names.MAS_TASK_ID: "1", names.MAS_TASK_NAME: "writer"}
    body = SpanBody(attributes=said)
    return Span("t", "s", None, "writer", 0, 1, columns=columns, scope=Scope(scope), _body=body)


def shown(span: Span) -> dict[str, str]:
    return {one.channel: value_text(one.value) for one in StateValues(NO_CONTENT).written(span)}


def test_the_output_of_a_task_is_what_it_wrote_channel_by_channel() -> None:
    span = task({"draft": "Dear guest", "count": 1})

    assert written_channels(span) == ("draft", "count")
    assert shown(span) == {"draft": "Dear guest", "count": "1"}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "Soup."},
        {"type": "ai", "content": "Soup."},
        {"type": "ai", "data": {"content": "Soup."}},
    ],
    ids=["OpenAI", "LangChain", "LangChain, with data"],
)
def test_messages_are_their_role_and_text(message: Any) -> None:
    assert shown(task({"messages": [message]})) == {"messages": "assistant: Soup."}


def test_a_list_of_anything_else_stays_as_it_is() -> None:
    assert shown(task({"hotels": [{"type": "hotel", "rooms": 3}]})) == {"hotels": '[{"type":"hotel","rooms":3}]'}


def test_a_span_of_ours_wrote_what_it_says_itself() -> None:
    assert written_channels(task({"draft": "Dear guest"}, scope="otel_mas")) == ()
