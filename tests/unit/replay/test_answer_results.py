"""Results of tools are answered as the objects that they were."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, ToolException, tool
from langgraph.types import Command, Send
from pydantic import BaseModel

import otel_mas
from otel_mas.errors import BadTrace
from otel_mas.replay import answers
from tests.unit.replay.conftest import Record


@dataclass
class Quote:
    price: float
    currency: str


class Hotel(BaseModel):
    name: str
    stars: int


class Point(NamedTuple):
    x: int
    y: int


VALUES = [
    "text",
    "",
    12,
    2.5,
    None,
    True,
    {"a": [1, {"b": None}]},
    ["x", 1],
    10**30,
    float("inf"),
    (1, 2),
    {1, 2},
    Decimal("1.10"),
    datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC),
    datetime.date(2026, 3, 1),
    Quote(12.5, "EUR"),
    Hotel(name="Sea", stars=4),
    Point(1, 2),
    [Quote(1, "EUR"), Quote(2, "EUR")],
    Command(goto="writer", update={"topic": "sea"}),
    Command(goto=[Send("work", {"n": 1}), Send("work", {"n": 2})]),
    Command(graph=Command.PARENT, goto="b", update={"messages": [ToolMessage("ok", tool_call_id="c1")], "n": 2}),
    Command(update={"messages": [AIMessage("a"), HumanMessage("b")]}),
]


def same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    assert found == expected


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_value_that_a_tool_returned_is_answered(record: Record, value: Any) -> None:
    @tool
    def ask() -> Any:
        """Ask."""
        return value

    (call,) = record(lambda: ask.invoke({}))
    same(answers.tool_result(call), value)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_value_that_a_marked_function_returned_is_answered(record: Record, value: Any) -> None:
    @otel_mas.tool
    def ask() -> Any:
        return value

    (call,) = record(ask)
    if isinstance(value, Command):
        pytest.skip("a marked function is no tool of LangGraph")
    same(answers.tool_result(call), value)


def test_bytes_are_not_in_a_recording_and_the_answer_says_so(record: Record) -> None:
    @otel_mas.tool
    def ask() -> bytes:
        return b"\x00\x01"

    (call,) = record(ask)
    with pytest.raises(BadTrace, match="ask was bytes"):
        answers.tool_result(call)


def call_of(name: str) -> Any:
    return {"type": "tool_call", "id": "call_1", "name": name, "args": {}}


def replayed(original: BaseTool, call: Any) -> Any:
    """LangChain's own code around the answer, as in a replay."""
    copy = original.model_copy()

    def run(*args: Any, **kwargs: Any) -> Any:
        result = answers.tool_result(call, kwargs.get("tool_call_id"))
        return answers.with_artifact(call, result) if copy.response_format == "content_and_artifact" else result

    vars(copy)["_run"] = run
    return copy.invoke(call_of(original.name))


@pytest.mark.parametrize("value", [one for one in VALUES if not isinstance(one, Command)], ids=repr)
def test_message_of_a_called_tool_is_the_same(record: Record, value: Any) -> None:
    @tool
    def ask() -> Any:
        """Ask."""
        return value

    said: list[ToolMessage] = []
    (call,) = record(lambda: said.append(ask.invoke(call_of("ask"))))
    assert replayed(ask, call) == said[0]


def test_artifact_is_answered_with_its_content(record: Record) -> None:
    @tool(response_format="content_and_artifact")
    def ask() -> tuple[str, dict[str, Any]]:
        """Ask."""
        return "three rows", {"rows": [1, 2, 3]}

    said: list[ToolMessage] = []
    (call,) = record(lambda: said.append(ask.invoke(call_of("ask"))))
    assert replayed(ask, call) == said[0]
    assert said[0].artifact == {"rows": [1, 2, 3]}


def test_error_that_a_tool_dealt_with_is_answered_as_its_message(record: Record) -> None:
    @tool
    def ask() -> str:
        """Ask."""
        raise ToolException("no wind")

    ask.handle_tool_error = True
    said: list[ToolMessage] = []
    (call,) = record(lambda: said.append(ask.invoke(call_of("ask"))))
    assert said[0].status == "error"
    assert replayed(ask, call) == said[0]
