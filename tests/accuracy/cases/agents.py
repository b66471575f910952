"""Agents as LangChain and LangGraph make them: `create_agent`, `create_react_agent`, `ToolNode`."""

from __future__ import annotations

from typing import Any

from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command
from pydantic import BaseModel

from tests.accuracy.cases.case import Run, case
from tests.accuracy.features import create_agent, react_agent
from tests.accuracy.scripted import calls, says

SINCE = (1, 0)  # of LangChain's create_agent
ASKED = Run({"messages": [("user", "How is the weather in Oslo and in Bergen?")]})


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"It rains in {city}."


@tool
def population(city: str) -> str:
    """How many people live in a city."""
    return f"Many people live in {city}."


@tool
def broken(city: str) -> str:
    """Never works."""
    raise ValueError(f"no {city}")


@tool
def leave(city: str) -> Command[Any]:
    """Go on elsewhere."""
    return Command(goto="elsewhere")


class Report(BaseModel):
    """How it is."""

    city: str


@case(
    """
    START --trigger--> model
    model decides by model_to_tools: tools from __end__, tools
    model --send--> tools#1..2
    tools#1 decides by tools_to_model: model from model
    tools#2 decides by tools_to_model: model from model
    tools#1, tools#2 --trigger--> model#2
    model#2 decides by model_to_tools: __end__ from __end__, tools
    """,
    ASKED,
    since=SINCE,
)
def agent_with_tools_in_parallel() -> Any:
    model = says(calls("weather", "population", city="Oslo"), "It rains.")
    return create_agent(model, [weather, population], name="guide")


@case(
    """
    START --trigger--> model
    model decides by model_to_tools: tools from __end__, model, tools
    model --send--> tools
    tools decides by tools_to_model: model from __end__, model
    tools --trigger--> model#2
    model#2 decides by model_to_tools: __end__ from __end__, model, tools
    """,
    ASKED,
    since=SINCE,
)
def agent_with_a_structured_response() -> Any:
    """The form is a tool that never runs: the answer that fills it in is the last one."""
    from langchain.agents.structured_output import ToolStrategy

    model = says(calls("weather", city="Oslo"), calls("Report", city="Oslo"))
    return create_agent(model, [weather], response_format=ToolStrategy(Report), name="guide")


@case(
    """
    START --trigger--> note.before_model
    note.before_model --trigger--> model
    model --trigger--> check.after_model
    check.after_model decides by model_to_tools: tools from __end__, note.before_model, tools
    check.after_model --send--> tools
    tools decides by tools_to_model: note.before_model from note.before_model
    tools --trigger--> note.before_model#2
    note.before_model#2 --trigger--> model#2
    model#2 --trigger--> check.after_model#2
    check.after_model#2 decides by model_to_tools: __end__ from __end__, note.before_model, tools
    """,
    ASKED,
    since=SINCE,
)
def agent_with_middleware() -> Any:
    from langchain.agents.middleware import after_model, before_model

    @before_model
    def note(state: Any, runtime: Any) -> None:
        return None

    @after_model
    def check(state: Any, runtime: Any) -> None:
        return None

    model = says(calls("weather", city="Oslo"), "It rains.")
    return create_agent(model, [weather], middleware=[note, check], name="guide")


@case(
    """
    START --trigger--> plan
    plan --trigger--> guide
    guide --trigger--> guide/model
    guide/model decides by model_to_tools: tools from __end__, tools
    guide/model --send--> guide/tools
    guide/tools decides by tools_to_model: model from model
    guide/tools --trigger--> guide/model#2
    guide/model#2 decides by model_to_tools: __end__ from __end__, tools
    guide --trigger--> publish
    """,
    ASKED,
    since=SINCE,
)
def agent_as_a_node() -> Any:
    """The node is the agent: one span."""
    guide = create_agent(says(calls("weather", city="Oslo"), "It rains."), [weather], name="guide")
    graph = StateGraph(MessagesState)
    graph.add_node("plan", lambda state: {})
    graph.add_node("guide", guide)
    graph.add_node("publish", lambda state: {})
    for start, end in ((START, "plan"), ("plan", "guide"), ("guide", "publish")):
        graph.add_edge(start, end)
    return graph.compile()


@case(
    """
    START --trigger--> model
    model decides by model_to_tools: tools from __end__, tools
    model --send--> tools
    tools/START: ok
    tools/START --trigger--> tools/model
    tools decides by tools_to_model: model from model
    tools --trigger--> model#2
    model#2 decides by model_to_tools: __end__ from __end__, tools
    """,
    ASKED,
    since=SINCE,
)
def agent_as_a_tool() -> Any:
    """Its run is inside of the tool, which is inside of the task; an agent without tools has nothing to decide."""
    expert = create_agent(says("It rains in Oslo."), name="expert")

    @tool
    def ask(city: str) -> str:
        """Ask the expert."""
        return str(expert.invoke({"messages": [("user", city)]})["messages"][-1].text)

    return create_agent(says(calls("ask", city="Oslo"), "It rains."), [ask], name="guide")


@case(
    """
    START --trigger--> agent
    agent decides by should_continue: tools from __end__, tools
    agent --send--> tools#1..2
    tools#1..2 --trigger--> agent#2
    agent#2 decides by should_continue: __end__ from __end__, tools
    """,
    ASKED,
)
def react_agent_with_tools_in_parallel() -> Any:
    model = says(calls("weather", "population", city="Oslo"), "It rains.")
    return react_agent(model, [weather, population], name="guide")


@case(
    """
    START --trigger--> agent
    agent --trigger--> generate_structured_response
    """,
    ASKED,
)
def react_agent_with_a_structured_response() -> Any:
    """Without tools there is nothing to decide; the form is filled in by a call of its own."""
    model = says("It rains.", calls("Report", city="Oslo"))
    return react_agent(model, response_format=Report, name="guide")


def with_tool_node(answer: Any, *tools: Any, after: str | None = "done", **options: Any) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("think", lambda state: {"messages": [answer]})
    graph.add_node("tools", ToolNode(list(tools), **options))
    graph.add_node("done", lambda state: {})
    graph.add_node("elsewhere", lambda state: {})
    graph.add_edge(START, "think")
    graph.add_edge("think", "tools")
    if after is not None:
        graph.add_edge("tools", after)
    return graph.compile()


@case(
    """
    START --trigger--> think
    think --trigger--> tools
    tools --trigger--> done
    """,
    ASKED,
)
def tools_of_which_one_fails_and_is_handled() -> Any:
    """ToolNode tells the model what went wrong, and the run goes on."""
    return with_tool_node(calls("weather", "broken", city="Oslo"), weather, broken, handle_tool_errors=True)


@case(
    """
    START --trigger--> think
    think --trigger--> tools
    tools decides by Command: elsewhere
    tools --trigger--> elsewhere
    """,
    ASKED,
)
def tool_that_returns_a_command() -> Any:
    return with_tool_node(calls("leave", city="Oslo"), leave, after=None)


@case(
    """
    START --trigger--> think
    think --trigger--> tools
    tools --trigger--> done
    tools decides by Command: elsewhere
    tools --trigger--> elsewhere
    """,
    ASKED,
)
def tools_of_which_one_returns_a_command() -> Any:
    """The edge is followed beside it."""
    return with_tool_node(calls("weather", "leave", city="Oslo"), weather, leave)
