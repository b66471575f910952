"""An agent in a graph, with a scripted model and tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from tests.accuracy.topologies.model import ScriptedModel

Script = Callable[[Sequence[BaseMessage]], "AIMessage | str"]


class Model(ScriptedModel):
    """A scripted model that is told the tools' definitions, as a real one is."""

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)


def ask_for(*calls: tuple[str, dict[str, Any]]) -> AIMessage:
    """An answer that calls tools, each with arguments."""
    return AIMessage(
        "",
        tool_calls=[
            {"name": name, "args": arguments, "id": f"call_{number}_{name}", "type": "tool_call"}
            for number, (name, arguments) in enumerate(calls)
        ],
    )


def in_turn(*answers: AIMessage | str) -> Script:
    """A script that gives these answers one after the other, by the number of those in the messages."""
    return lambda messages: answers[sum(isinstance(message, AIMessage) for message in messages)]


def agent_of(call_model: Callable[[MessagesState], dict[str, Any]], *tools: BaseTool) -> Any:
    """A graph `researcher` with the nodes `model` and `tools`."""
    graph = StateGraph(MessagesState)
    graph.add_node("model", call_model)
    graph.add_node("tools", ToolNode(list(tools), handle_tool_errors=True))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(name="researcher")


def run_agent(script: Script, *tools: BaseTool) -> None:
    """Run such an agent once; its model reads all messages."""
    model = Model(script=script).bind_tools(tools)

    def call_model(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    agent_of(call_model, *tools).invoke({"messages": [HumanMessage("How many?")]})
