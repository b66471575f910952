"""A supervisor that hands over to its workers by commands, as each report comes back; a clerk sums up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command

from tests.accuracy.features import make_agent
from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import RETRY, make_desk
from tests.accuracy.topologies.model import ScriptedModel, listed, number_in, report, restates, tool_then_text
from tests.accuracy.topologies.town import Trouble, a_head, cost_in, make_tools, make_town, verdict

_MOST_ROUNDS = 4


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    rounds: int
    answer: str


def build(seed: int = 0, *, clean: bool = False) -> App:
    town = make_town(seed)
    tools = make_tools(town, Trouble(*(("census", "estimate") if clean else ())))
    decides = ScriptedModel(script=_who_is_next, model="scripted-large")
    writes = ScriptedModel(script=restates("Report"), model="scripted-large")
    project = f"tram line of {town.name}"
    workers = {
        "statistician": make_agent(
            ScriptedModel(
                script=tool_then_text("census", lambda text: listed(population=number_in(text, "has")), place=town.name)
            ),
            [tools["census"]],
            prompt="You know the people of the town.",
            name="statistician",
        ),
        "surveyor": make_agent(
            ScriptedModel(script=tool_then_text("estimate", lambda text: listed(cost=cost_in(text)), project=project)),
            [tools["estimate"]],
            prompt="You know what things cost.",
            name="surveyor",
        ),
    }

    def supervisor(state: State) -> Command[Literal["statistician", "surveyor", "clerk"]]:
        rounds = state.get("rounds", 0) + 1
        asked = [SystemMessage("You supervise. Say who is next."), *state["messages"]]
        choice: Any = decides.invoke(asked).content if rounds <= _MOST_ROUNDS else "clerk"
        return Command(goto=choice, update={"rounds": rounds})

    def worker(name: str) -> Any:
        def run(state: State) -> State:
            said = workers[name].invoke({"messages": [HumanMessage(f"Please look into {town.name}.")]})
            return {"messages": [AIMessage(str(said["messages"][-1].content), name=name)]}

        return run

    def clerk(state: State) -> State:
        text = "\n".join(str(message.content) for message in state["messages"])
        population, cost = number_in(text, "Population: "), number_in(text, "Cost: ")
        per_head = a_head(cost, population)
        facts = listed(
            subject=town.name, population=population, cost=cost, per_head=per_head, verdict=verdict(per_head)
        )
        said = writes.invoke([SystemMessage("You write the report."), HumanMessage(facts)])
        return {"answer": str(said.content), "messages": [AIMessage(str(said.content), name="clerk")]}

    graph = StateGraph(State)
    graph.add_node("supervisor", supervisor)
    for name in workers:
        graph.add_node(name, worker(name), retry_policy=RETRY if clean else None)
        graph.add_edge(name, "supervisor")
    graph.add_node("clerk", clerk)
    graph.add_edge(START, "supervisor")
    if clean:
        graph.add_node("desk", make_desk())
        graph.add_edge("clerk", "desk")
    graph.add_edge("desk" if clean else "clerk", END)
    edges = (("statistician", "clerk"), ("surveyor", "clerk"))
    return App(
        name="supervisor",
        graph=graph.compile(name="supervisor"),
        given={"messages": [HumanMessage(town.question)]},
        answer=lambda result: str(result.get("answer")),
        expected=report(
            subject=town.name,
            population=town.population,
            cost=town.cost,
            per_head=town.per_head,
            verdict=town.verdict,
        ),
        agents=("statistician", "surveyor", "clerk"),
        tools={"census": "statistician", "estimate": "surveyor"},
        edges=edges,
        lists=edges,
    )


def _who_is_next(messages: Sequence[BaseMessage]) -> str:
    reported = {message.name for message in messages if isinstance(message, AIMessage)}
    return next((name for name in ("statistician", "surveyor") if name not in reported), "clerk")
