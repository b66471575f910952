"""A hierarchy: a chief, whose two teams are subgraphs with members of their own; one of these is a prebuilt agent."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from tests.accuracy.features import make_agent
from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import RETRY, make_desk
from tests.accuracy.topologies.model import (
    ScriptedModel,
    ask,
    date_in,
    listed,
    number_in,
    report,
    restates,
    tool_then_text,
)
from tests.accuracy.topologies.town import Town, Trouble, cost_in, divided, make_tools, make_town, verdict


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    plan: str
    population: int | None
    opening: str | None
    cost: int | None
    per_head: int | None
    draft: str
    answer: str


def build(seed: int = 0, *, clean: bool = False) -> App:
    town = make_town(seed)
    tools = make_tools(town, Trouble(*(("timetable", "estimate") if clean else ())))
    plans = ScriptedModel(script=lambda messages: f"First the facts about {town.name}, then the report.")

    def chief(state: State) -> State:
        return {"plan": ask(plans, "You lead. Make a plan.", str(state["messages"][0].content))}

    graph = StateGraph(State)
    graph.add_node("chief", chief)
    graph.add_node("research_team", _research_team(town, tools, clean))
    graph.add_node("writing_team", _writing_team(town))
    graph.add_edge(START, "chief")
    graph.add_edge("chief", "research_team")
    graph.add_edge("research_team", "writing_team")
    if clean:
        graph.add_node("desk", make_desk())
        graph.add_edge("writing_team", "desk")
    graph.add_edge("desk" if clean else "writing_team", END)
    return App(
        name="hierarchy",
        graph=graph.compile(name="hierarchy"),
        given={"messages": [HumanMessage(town.question)]},
        answer=lambda result: str(result.get("answer")),
        expected=report(
            subject=town.name,
            population=town.population,
            opening=town.opening,
            cost=town.cost,
            per_head=town.per_head,
            verdict=town.verdict,
        ),
        agents=("searcher", "drafter", "proofreader"),
        tools={"census": "searcher", "timetable": "planner", "estimate": "engineer", "divide": "accountant"},
        edges=(("research_team", "writing_team"), ("drafter", "proofreader"), ("engineer", "accountant")),
        fields=(("accountant", "cost"), ("proofreader", "draft"), ("drafter", "opening")),
    )


def _research_team(town: Town, tools: dict[str, Any], clean: bool) -> Any:
    searcher = make_agent(
        ScriptedModel(
            script=tool_then_text("census", lambda text: listed(population=number_in(text, "has")), place=town.name)
        ),
        [tools["census"]],
        prompt="You look things up.",
        name="searcher",
    )

    def planner(state: State) -> State:
        return {"opening": date_in(tools["timetable"].invoke({"place": town.name}))}

    def engineer(state: State) -> State:
        return {"cost": cost_in(tools["estimate"].invoke({"project": f"tram line of {town.name}"}))}

    def accountant(state: State) -> State:
        said = "\n".join(str(message.content) for message in state["messages"] if isinstance(message, AIMessage))
        population = number_in(said, "Population: ")
        return {"population": population, "per_head": divided(tools, state.get("cost"), population)}

    graph = StateGraph(State)
    graph.add_node("searcher", searcher)
    graph.add_node("planner", planner, retry_policy=RETRY if clean else None)
    graph.add_node("engineer", engineer, retry_policy=RETRY if clean else None)
    graph.add_node("accountant", accountant)
    for name in ("searcher", "planner", "engineer"):
        graph.add_edge(START, name)
    graph.add_edge(["searcher", "planner", "engineer"], "accountant")
    graph.add_edge("accountant", END)
    return graph.compile(name="research_team")


def _writing_team(town: Town) -> Any:
    drafts = ScriptedModel(script=restates("Draft"))
    proofreads = ScriptedModel(script=restates("Report"), model="scripted-large")

    def drafter(state: State) -> State:
        facts = {name: state.get(name) for name in ("population", "opening", "cost", "per_head")}
        text = listed(subject=town.name, **facts, verdict=verdict(state.get("per_head")))
        return {"draft": ask(drafts, "You draft reports.", text)}

    def proofreader(state: State) -> State:
        lines = "\n".join(f"- {line}" for line in state.get("draft", "").removesuffix(".").split(". ")[1:])
        return {"answer": ask(proofreads, "You proofread reports.", lines)}

    graph = StateGraph(State)
    graph.add_node("drafter", drafter)
    graph.add_node("proofreader", proofreader)
    graph.add_edge(START, "drafter")
    graph.add_edge("drafter", "proofreader")
    graph.add_edge("proofreader", END)
    return graph.compile(name="writing_team")
