"""A blackboard: a controller looks at what is missing on the board and calls the expert who can add it."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import RETRY, make_desk
from tests.accuracy.topologies.model import ScriptedModel, ask, date_in, listed, number_in, report, restates
from tests.accuracy.topologies.town import Trouble, a_head, cost_in, make_tools, make_town, verdict

_EXPERTS = {"population": "demographer", "cost": "engineer", "opening": "scheduler"}
_MOST_TURNS = 6


class State(TypedDict, total=False):
    question: str
    board: Annotated[dict[str, Any], operator.or_]
    turns: int
    answer: str


def build(seed: int = 0, *, clean: bool = False) -> App:
    town = make_town(seed)
    tools = make_tools(town, Trouble(*(("census", "timetable") if clean else ())))
    notes = ScriptedModel(script=restates("Noted"))
    writes = ScriptedModel(script=restates("Report"), model="scripted-large")

    def controller(state: State) -> State:
        return {"turns": state.get("turns", 0) + 1}

    def who(state: State) -> str:
        missing = [name for name in _EXPERTS if name not in state.get("board", {})]
        return _EXPERTS[missing[0]] if missing and state["turns"] < _MOST_TURNS else "reporter"

    def demographer(state: State) -> State:
        found = number_in(tools["census"].invoke({"place": town.name}), "has")
        return {"board": {"population": number_in(ask(notes, "You know people.", listed(population=found)))}}

    def engineer(state: State) -> State:
        found = cost_in(tools["estimate"].invoke({"project": f"tram line of {town.name}"}))
        return {"board": {"cost": number_in(ask(notes, "You know costs.", listed(cost=found)))}}

    def scheduler(state: State) -> State:
        found = date_in(tools["timetable"].invoke({"place": town.name}))
        return {"board": {"opening": date_in(ask(notes, "You know dates.", listed(opening=found)))}}

    def reporter(state: State) -> State:
        board = state.get("board", {})
        per_head = a_head(board.get("cost"), board.get("population"))
        facts = listed(
            subject=town.name,
            population=board.get("population"),
            opening=board.get("opening"),
            cost=board.get("cost"),
            per_head=per_head,
            verdict=verdict(per_head),
        )
        return {"answer": ask(writes, "You report what is on the board.", facts)}

    graph = StateGraph(State)
    graph.add_node("controller", controller)
    graph.add_node("reporter", reporter)
    for name, expert in {"demographer": demographer, "engineer": engineer, "scheduler": scheduler}.items():
        graph.add_node(name, expert, retry_policy=RETRY if clean else None)
        graph.add_edge(name, "controller")
    graph.add_edge(START, "controller")
    graph.add_conditional_edges("controller", who, [*_EXPERTS.values(), "reporter"])
    if clean:
        graph.add_node("desk", make_desk())
        graph.add_edge("reporter", "desk")
    graph.add_edge("desk" if clean else "reporter", END)
    return App(
        name="blackboard",
        graph=graph.compile(name="blackboard"),
        given={"question": town.question, "board": {}},
        answer=lambda result: str(result.get("answer")),
        expected=report(
            subject=town.name,
            population=town.population,
            opening=town.opening,
            cost=town.cost,
            per_head=town.per_head,
            verdict=town.verdict,
        ),
        agents=("demographer", "engineer", "scheduler", "reporter"),
        tools={"census": "demographer", "estimate": "engineer", "timetable": "scheduler"},
        edges=tuple((expert, "reporter") for expert in _EXPERTS.values()),
        fields=(("reporter", "board"),),
    )
