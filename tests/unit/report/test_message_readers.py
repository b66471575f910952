"""Whose messages were read, in names."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from otel_mas.causal import CausalGraph, build
from otel_mas.model import Span
from otel_mas.report.message_readers import MessageReaders
from otel_mas.report.task_labels import TaskLabels
from otel_mas.semconv import attributes as names


def chat(built: Any, start: int, end: int, parent: Span, *read: Span) -> Span:
    made: Span = built.span(
        "chat gpt",
        start,
        end,
        parent,
        [("message", one) for one in read],
        {names.MAS_RECORD_KIND: "LLM_CALL", names.GEN_AI_OPERATION_NAME: "chat"},
    )
    return made


@pytest.fixture
def spans(team: ModuleType) -> dict[str, Span]:
    """researcher (its model reads a tool) → check → writer, an agent that was given an answer that its model read."""
    built = team.TraceBuilder("aa" * 16)
    run = built.workflow(0, 100, "ok")
    researcher = built.task("researcher", 1, 30, run, agent=True)
    tools = built.task("tools", 2, 5, researcher, ("trigger", researcher))
    tool = built.tool("web_search", 3, 4, tools)
    model = built.task("model", 6, 29, researcher, ("trigger", tools))
    answer = chat(built, 7, 28, model, tool)
    check = built.task("check", 31, 40, run, ("trigger", researcher))
    checked = chat(built, 32, 39, check, answer)
    writer = built.task("writer", 41, 60, run, ("trigger", check), ("message", answer), agent=True)
    draft = built.task("draft", 42, 59, writer, ("trigger", writer))
    written = chat(built, 43, 58, draft, answer, tool, checked)
    found = {"answer": answer, "checked": checked, "writer": writer, "written": written, "researcher": researcher}
    return found | {"check": check, "draft": draft, "model": model, "run": run, "tools": tools, "": built.trace()}


@pytest.fixture
def causal(spans: dict[str, Any]) -> CausalGraph:
    return build([spans[""]])


@pytest.fixture
def message_readers(causal: CausalGraph) -> MessageReaders:
    return MessageReaders(causal, TaskLabels(causal))


def test_a_tool_of_its_own_agent_is_named_as_the_tool(message_readers: MessageReaders, spans: dict[str, Span]) -> None:
    assert message_readers.of(spans["answer"]) == "read: web_search"


def test_a_writer_inside_another_agent_is_named_as_that_agent(
    message_readers: MessageReaders, spans: dict[str, Span]
) -> None:
    assert message_readers.of(spans["checked"]) == "read: researcher"
    assert message_readers.of(spans["writer"]) == "read: researcher"


def test_each_is_named_once(message_readers: MessageReaders, spans: dict[str, Span]) -> None:
    """The researcher's model and its tool are both the researcher, seen from outside."""
    assert message_readers.of(spans["written"]) == "read: researcher, check"


def test_who_read_nothing_has_no_words(message_readers: MessageReaders, spans: dict[str, Span]) -> None:
    assert message_readers.of(spans["run"]) is None
    assert message_readers.of_task(spans["tools"], []) is None


def test_of_a_task_those_that_caused_it_are_left_out(message_readers: MessageReaders, spans: dict[str, Span]) -> None:
    assert message_readers.of_task(spans["check"], [spans["researcher"]]) is None
    assert message_readers.of_task(spans["writer"], [spans["check"]]) == "read: researcher"


def test_of_a_task_those_whom_the_agent_around_it_has_read_are_left_out(
    message_readers: MessageReaders, spans: dict[str, Span]
) -> None:
    assert message_readers.of_task(spans["draft"], []) == "read: check"


def test_a_writer_in_another_trace_is_said_to_be_there(team: ModuleType, spans: dict[str, Span]) -> None:
    built = team.TraceBuilder("bb" * 16)
    reader = chat(built, 200, 201, built.task("later", 199, 202, built.workflow(198, 203, "ok")), spans["answer"])
    causal = build([built.trace()])
    assert MessageReaders(causal, TaskLabels(causal)).of(reader) == "read: another trace"
