"""A swarm: three agents that hand the conversation to each other by commands, without anybody above them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command

from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import RETRY, make_desk
from tests.accuracy.topologies.model import ScriptedModel, ask, date_in, listed, number_in, report, restates
from tests.accuracy.topologies.town import Trouble, make_tools, make_town


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    active: str
    answer: str


def build(seed: int = 0, *, clean: bool = False) -> App:
    town = make_town(seed)
    tools = make_tools(town, Trouble(*(("timetable", "survey") if clean else ())))
    speaks = ScriptedModel(script=restates("I found"))
    writes = ScriptedModel(script=restates("Report"), model="scripted-large")
    end = "desk" if clean else END

    def receptionist(state: State) -> Command[Literal["scheduler"]]:
        said = ask(speaks, "You receive people.", listed(subject=town.name, urgent="yes"))
        return Command(
            goto="scheduler", update={"messages": [AIMessage(said, name="receptionist")], "active": "scheduler"}
        )

    def scheduler(state: State) -> Command[Literal["counsellor"]]:
        opening = date_in(tools["timetable"].invoke({"place": town.name}))
        said = ask(speaks, "You know timetables.", listed(opening=opening))
        return Command(
            goto="counsellor", update={"messages": [AIMessage(said, name="scheduler")], "active": "counsellor"}
        )

    def counsellor(state: State) -> Command[Any]:
        riders = number_in(tools["survey"].invoke({"place": town.name}))
        heard = "\n".join(
            f"- {line}"
            for message in state["messages"]
            for line in str(message.content).removesuffix(".").split(". ")[1:]
        )
        prompt = [SystemMessage("You advise."), HumanMessage(f"{heard}\n{listed(riders=riders)}")]
        said = str(writes.invoke(prompt).content)
        return Command(goto=end, update={"messages": [AIMessage(said, name="counsellor")], "answer": said})

    graph = StateGraph(State)
    graph.add_node("receptionist", receptionist)
    graph.add_node("scheduler", scheduler, retry_policy=RETRY if clean else None)
    graph.add_node("counsellor", counsellor, destinations=(end,), retry_policy=RETRY if clean else None)
    graph.add_edge(START, "receptionist")
    if clean:
        graph.add_node("desk", make_desk())
        graph.add_edge("desk", END)
    edges = (("receptionist", "counsellor"), ("scheduler", "counsellor"))
    return App(
        name="swarm",
        graph=graph.compile(name="swarm"),
        given={"messages": [HumanMessage(town.question)]},
        answer=lambda result: str(result.get("answer")),
        expected=report(subject=town.name, urgent="yes", opening=town.opening, riders=town.riders),
        agents=("receptionist", "scheduler", "counsellor"),
        tools={"timetable": "scheduler", "survey": "counsellor"},
        edges=edges,
        lists=edges,
    )
