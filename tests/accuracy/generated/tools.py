"""Apps about tools: arguments that do not fit, tools that are not there, results that nobody reads, loops."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.graph import MessagesState
from pydantic import BaseModel

from tests.accuracy.findings.agents import Model, agent_of, ask_for, in_turn
from tests.accuracy.generated.family import Family, Setting
from tests.accuracy.generated.parts import place, sentences


def _agent(setting: Setting, script: Any, *tools: BaseTool, keep: Any = None) -> None:
    """Run an agent; `keep` makes of all messages those that its model reads."""
    model = Model(script=script).bind_tools(tools)

    def call_model(state: MessagesState) -> dict[str, Any]:
        messages = state["messages"] if keep is None else keep(state["messages"])
        return {"messages": [model.invoke(messages)]}

    question = HumanMessage(f"How many people live in {place(setting.random)}?")
    agent_of(call_model, *tools).invoke({"messages": [question]}, setting.config)


# -- arguments ---------------------------------------------------------------------------------------------------------


class _Reply(BaseModel):
    price: int


def _arguments(setting: Setting) -> None:
    """Arguments that are missing, of another type, or nested wrongly; or a tool that fails for another reason."""
    random = setting.random
    trouble = random.choice(("none", "own data", "value", "text"))

    @tool
    def shop(item: str, number: int = 1, tags: list[str] | None = None) -> str:
        """Look into the register of a shop."""
        if not setting.holds and trouble == "own data":
            _Reply.model_validate({"price": "dear"})
        if not setting.holds and trouble == "value":
            raise ValueError(f"there is no {item} in the register")
        return f"{item}: {random.randrange(100, 999)} EUR"

    good = {"item": place(random), "number": random.randrange(1, 9)}
    bad: dict[str, Any] = random.choice(
        ({}, {"number": 2}, {**good, "number": "a few"}, {"item": {"name": "x"}}, {**good, "tags": "red"})
    )
    nearly = {**good, "number": "3"} if trouble == "text" else good
    given = bad if setting.holds else nearly
    before = [ask_for(("shop", good))] * random.randrange(2) if setting.holds else []
    _agent(setting, in_turn(*before, ask_for(("shop", given)), sentences(random)), shop)


# -- tools that do not exist -------------------------------------------------------------------------------------------


def _unknown(setting: Setting) -> None:
    """A name with another spelling, of another tool, or made up; or a known one, that may fail."""
    random = setting.random
    name = random.choice(("look_up_place", "search_register", "count_people"))

    def work(where: str) -> str:
        if not setting.holds and random.random() < 0.5:
            raise RuntimeError(f"no tool of the office knows {where}")
        return f"{where} has {random.randrange(1000, 9999)} inhabitants"

    known = tool(name, description="Look something up.")(work)
    wrong = random.choice((name.replace("_", "-"), name.title(), f"{name}_v2", "web_search", "python", name[:-1]))
    calls = [(name, {"where": place(random)})] if random.random() < 0.5 else []
    calls.append((wrong if setting.holds else name, {"where": place(random)}))
    _agent(setting, in_turn(ask_for(*calls), sentences(random)), known)


# -- results that nobody reads -----------------------------------------------------------------------------------------


def _unread(setting: Setting) -> None:
    """The results are cut out of what the model reads; or quoted, read before they are cut, or nothing comes after."""
    random = setting.random
    result = sentences(random)
    how = random.choice(("quoted", "cut later", "last"))
    rounds = random.randrange(1, 3)

    @tool
    def look_up(where: str) -> str:
        """Look a place up."""
        return f"{where}: {result}"

    def keep(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
        texts = [str(one.content) for one in messages if isinstance(one, ToolMessage)]
        rest = [one for one in messages if not isinstance(one, ToolMessage)]
        if setting.holds or how == "last":
            return rest
        if how == "quoted":
            return [*rest, *(HumanMessage(f"Notes: {text}") for text in texts)]
        return list(messages) if len(messages) < 4 else [*messages[:1], *messages[-2:]]

    asks = [ask_for(("look_up", {"where": f"{place(random)} {number}"})) for number in range(rounds)]
    if not setting.holds and how == "last":

        def alone(state: MessagesState) -> dict[str, Any]:
            return {"messages": [Model(script=in_turn(asks[0])).bind_tools([look_up]).invoke(state["messages"])]}

        _tools_last(alone, look_up).invoke({"messages": [HumanMessage("How many?")]}, setting.config)
        return
    answers = iter((*asks, sentences(random)))
    _agent(setting, lambda messages: next(answers), look_up, keep=keep)


def _tools_last(call_model: Any, *tools: BaseTool) -> Any:
    """A graph in which nothing comes after the tools."""
    from langgraph.graph import END, START, StateGraph
    from langgraph.prebuilt import ToolNode

    graph = StateGraph(MessagesState)
    graph.add_node("model", call_model)
    graph.add_node("tools", ToolNode(list(tools)))
    graph.add_edge(START, "model")
    graph.add_edge("model", "tools")
    graph.add_edge("tools", END)
    return graph.compile(name="researcher")


# -- loops -------------------------------------------------------------------------------------------------------------


def _tool_loop(setting: Setting) -> None:
    """The same call three times and more; or twice, with other arguments, other results, or failing."""
    random = setting.random
    results = count(random.randrange(1000, 9999))
    how = "same" if setting.holds else random.choice(("twice", "other arguments", "poll", "fails"))
    times = 2 if how == "twice" else random.randrange(3, 7)
    first = next(results)

    @tool
    def status(order: str) -> str:
        """Ask for the state of an order."""
        if how == "fails":
            raise ConnectionError("the register does not answer")
        return f"{order} has {next(results) if how == 'poll' else first} parts"

    order = f"order of {place(random)}"
    calls: list[AIMessage | str] = []
    for number in range(times):
        given = f"{order} {number}" if how == "other arguments" else order
        calls.append(ask_for(("status", {"order": given})))
        if setting.holds and number == 0 and random.random() < 0.5:
            calls.append(ask_for(("status", {"order": place(random)})))
    _agent(setting, in_turn(*calls, sentences(random)), status)


FAMILIES = (
    Family(
        "invalid-arguments",
        "an argument is missing, of another type or nested wrongly",
        "a number as text; the tool fails of its own data",
        (_arguments,),
    ),
    Family(
        "unknown-tool",
        "another spelling of a name, or a made-up one",
        "the same call of the tool that is there, which may fail",
        (_unknown,),
        also=frozenset({"invalid-arguments"}),
    ),
    Family(
        "unused-result",
        "results are left out of what the model reads next",
        "results are quoted, read before they are left out, or the last thing in the run",
        (_unread,),
        also=frozenset({"message-loss"}),
    ),
    Family(
        "tool-call-loop",
        "three to six calls with the same arguments and result",
        "two, or with other arguments or results, or failed ones",
        (_tool_loop,),
        also=frozenset({"step-repetition", "handoff-loop", "retry-storm"}),
    ),
)

__all__ = ["FAMILIES"]
