"""Tools, called alone, by `ToolNode` and by an agent."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import InjectedToolCallId, StructuredTool, ToolException, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode
from langgraph.types import Command, interrupt
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from tests.accuracy.features import make_agent


@tool
def weather(city: str) -> str:
    """Say what the weather is."""
    trace.get_tracer("app").start_span("inside").end()
    return f"{city}: {trace.get_current_span().name}"


@tool
async def forecast(city: str) -> str:
    """Say what the weather will be."""
    await asyncio.sleep(0)
    return f"{city}: {trace.get_current_span().name}"


def call(name: str, args: dict[str, Any], identity: str = "call_1") -> Any:
    return {"type": "tool_call", "id": identity, "name": name, "args": args}


def graph_of(*tools: Any, **options: Any) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode(list(tools), **options))
    builder.add_edge(START, "tools")
    builder.add_edge("tools", END)
    return builder.compile(checkpointer=InMemorySaver())


def asked(*calls: Any) -> dict[str, Any]:
    return {"messages": [HumanMessage("hi"), AIMessage("", tool_calls=list(calls))]}


def test_a_tool_call_has_name_id_arguments_and_result(recorded: Any) -> None:
    answer = weather.invoke(call("weather", {"city": "Oslo"}))
    assert answer.content == "Oslo: execute_tool weather"
    span = recorded.named("execute_tool weather")
    assert span.kind is SpanKind.INTERNAL
    assert span.status.status_code is StatusCode.UNSET
    digests = span.attributes["mas.output.messages"]
    assert dict(span.attributes) == {
        "mas.record.kind": "TOOL_CALL",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1",
        "mas.output.messages": digests,
        "mas.output.modalities": ("text",),
    }
    assert recorded.content_of(span, "gen_ai.tool.description") == "Say what the weather is."
    assert recorded.content_of(span, "gen_ai.tool.call.arguments") == {"city": "Oslo"}
    assert recorded.content_of(span, "gen_ai.tool.call.result") == "Oslo: execute_tool weather"


@pytest.mark.parametrize("chosen", [weather, forecast])
async def test_the_span_is_current_in_the_tool_also_when_async(recorded: Any, chosen: Any) -> None:
    results = await asyncio.gather(*(chosen.ainvoke({"city": city}) for city in ("Oslo", "Rome")))
    assert results == [f"{city}: execute_tool {chosen.name}" for city in ("Oslo", "Rome")]
    assert len([span for span in recorded.spans if span.name.startswith("execute_tool")]) == 2
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_tool_called_outside_a_tool_call_has_its_plain_result(recorded: Any) -> None:
    assert weather.run("Oslo") == "Oslo: execute_tool weather"
    span = recorded.named("execute_tool weather")
    assert recorded.content_of(span, "gen_ai.tool.call.arguments") == "Oslo"
    assert recorded.content_of(span, "gen_ai.tool.call.result") == "Oslo: execute_tool weather"
    assert "gen_ai.tool.call.id" not in span.attributes
    assert "mas.output.messages" not in span.attributes


def test_parallel_tools_of_a_tool_node_keep_their_own_spans(recorded: Any) -> None:
    graph = graph_of(weather)
    config = {"configurable": {"thread_id": "1"}}
    state = asked(*(call("weather", {"city": city}, city) for city in ("Oslo", "Rome", "Bern")))
    messages = graph.invoke(state, config)["messages"][2:]
    assert [m.content for m in messages] == [f"{city}: execute_tool weather" for city in ("Oslo", "Rome", "Bern")]
    spans = [span for span in recorded.spans if span.name == "execute_tool weather"]
    assert {span.attributes["gen_ai.tool.call.id"] for span in spans} == {"Oslo", "Rome", "Bern"}
    for span in spans:
        arguments = recorded.content_of(span, "gen_ai.tool.call.arguments")
        assert arguments == {"city": span.attributes["gen_ai.tool.call.id"]}


def test_a_tool_that_raises_is_an_error(recorded: Any) -> None:
    @tool
    def broken() -> str:
        """Fail."""
        raise KeyError("x")

    with pytest.raises(KeyError):
        broken.invoke({})
    span = recorded.named("execute_tool broken")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "KeyError"


def test_a_failure_that_the_tool_answers_with_is_noted_and_is_no_error(recorded: Any) -> None:
    def refuse() -> str:
        """Refuse."""
        raise ToolException("no")

    refusing = StructuredTool.from_function(refuse, handle_tool_error=True)
    assert refusing.invoke(call("refuse", {})).status == "error"
    span = recorded.named("execute_tool refuse")
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes["error.type"] == "tool_error"


def test_an_interrupt_in_a_tool_is_no_error(recorded: Any) -> None:
    @tool
    def approve() -> str:
        """Ask."""
        return str(interrupt("sure?"))

    graph = graph_of(approve)
    config = {"configurable": {"thread_id": "1"}}
    assert "__interrupt__" in graph.invoke(asked(call("approve", {})), config)
    graph.invoke(Command(resume="yes"), config)
    paused, resumed = recorded.spans
    assert paused.status.status_code is resumed.status.status_code is StatusCode.UNSET
    assert "error.type" not in paused.attributes
    assert recorded.content_of(resumed, "gen_ai.tool.call.result") == "yes"


def test_a_command_is_recorded_as_what_it_says_and_injected_arguments_are_not(recorded: Any) -> None:
    @tool
    def hand_over(
        reason: str, state: Annotated[dict[str, Any], InjectedState], identity: Annotated[str, InjectedToolCallId]
    ) -> Command[str]:
        """Hand over."""
        return Command(goto=END, update={"messages": [ToolMessage(f"over: {reason}", tool_call_id=identity)]})

    graph_of(hand_over).invoke(asked(call("hand_over", {"reason": "tired"})), {"configurable": {"thread_id": "1"}})
    span = recorded.named("execute_tool hand_over")
    assert recorded.content_of(span, "gen_ai.tool.call.arguments") == {"reason": "tired"}
    assert recorded.content_of(span, "gen_ai.tool.call.result") == {
        "goto": END,
        "update": {"messages": ["over: tired"]},
    }
    assert recorded.messages_of(span, "output") == [
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "over: tired"}]}
    ]


def test_a_handoff_to_the_outer_graph_is_no_error(recorded: Any) -> None:
    @tool
    def transfer(identity: Annotated[str, InjectedToolCallId]) -> Command[str]:
        """Transfer."""
        message = ToolMessage("gone", tool_call_id=identity)
        return Command(graph=Command.PARENT, goto="other", update={"messages": [message]})

    outer = StateGraph(MessagesState)
    outer.add_node("inner", graph_of(transfer).builder.compile(), destinations=("other",))
    outer.add_node("other", lambda state: {"messages": [AIMessage("here")]})
    outer.add_edge(START, "inner")
    result = outer.compile().invoke(asked(call("transfer", {})))
    assert result["messages"][-1].content == "here"
    assert recorded.named("execute_tool transfer").status.status_code is StatusCode.UNSET


def test_an_agents_input_has_the_digests_of_its_tools_answers(recorded: Any, chat: Any) -> None:
    agent = make_agent(chat, [weather], prompt="be brief")
    result = agent.invoke({"messages": [("user", "hi")]}, {"configurable": {"thread_id": "t-1"}})
    assert result["messages"][-1].content == "hello world"
    first, second = (span for span in recorded.spans if span.name.startswith("chat"))
    tools = [span for span in recorded.spans if span.name.startswith("execute_tool")]
    assert {span.attributes["gen_ai.tool.call.id"] for span in tools} == {"call_1", "call_2"}
    produced = {digest for span in tools for digest in span.attributes["mas.output.messages"]}
    assert produced == set(second.attributes["mas.input.messages"][-2:])
    # What the first call answered is what the second one got, though the agent has put its name on it.
    assert second.attributes["mas.input.messages"][-3:-2] == first.attributes["mas.output.messages"]
    assert first.attributes["gen_ai.conversation.id"] == "t-1"
    assert recorded.content_of(first, "gen_ai.tool.definitions")[0]["function"]["name"] == "weather"


async def test_a_cancelled_tool_ends_without_an_error(recorded: Any) -> None:
    @tool
    async def slow() -> str:
        """Wait."""
        await asyncio.sleep(60)
        return ""

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slow.ainvoke({}), 0.05)
    span = recorded.named("execute_tool slow")
    assert span.status.status_code is StatusCode.UNSET
    assert span.attributes["error.type"] == "asyncio.exceptions.CancelledError"
