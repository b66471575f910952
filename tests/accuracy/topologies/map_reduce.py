"""Map and reduce: a planner sends each district to a counter of its own; an adder and a reporter make one of it."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import RETRY, make_desk
from tests.accuracy.topologies.model import ScriptedModel, ask, listed, number_in, report, restates, shown
from tests.accuracy.topologies.town import Trouble, make_tools, make_town


class State(TypedDict, total=False):
    question: str
    plan: str
    counts: Annotated[list[dict[str, Any]], operator.add]
    total: int | None
    answer: str


class Order(TypedDict):
    """Input of a counter."""

    district: str
    share: int


def build(seed: int = 0, *, clean: bool = False) -> App:
    town = make_town(seed)
    tools = make_tools(town, Trouble(*(("register",) if clean else ())))
    plans = ScriptedModel(script=lambda messages: f"Count each district of {town.name} on its own.")
    counts = ScriptedModel(script=restates("Counted"))
    writes = ScriptedModel(script=restates("Report"), model="scripted-large")

    def planner(state: State) -> State:
        return {"plan": ask(plans, "You plan.", state["question"])}

    def each(state: State) -> list[Send]:
        return [Send("counter", Order(district=name, share=100)) for name, _ in town.districts]

    def counter(state: Order) -> State:
        found = tools["register"].invoke({"district": state["district"], "share": state["share"]})
        residents = found.get("residents") if isinstance(found, dict) else None
        text = ask(counts, "You count.", listed(district=state["district"], residents=residents))
        return {"counts": [{"district": state["district"], "residents": number_in(text, "Residents: ")}]}

    def adder(state: State) -> State:
        known = [one["residents"] for one in state.get("counts", []) if one["residents"] is not None]
        total = tools["add"].invoke({"numbers": known}) if known else None
        return {"total": total if isinstance(total, int) else None}

    def reporter(state: State) -> State:
        by_district = {one["district"]: one["residents"] for one in state.get("counts", [])}
        facts = listed(subject=town.name, districts=len(state.get("counts", [])), total=state.get("total"))
        text = "\n".join([facts, *(f"- {name}: {shown(number)}" for name, number in by_district.items())])
        return {"answer": ask(writes, "You report.", text)}

    graph = StateGraph(State)
    graph.add_node("planner", planner)
    graph.add_node("counter", counter, retry_policy=RETRY if clean else None)
    graph.add_node("adder", adder)
    graph.add_node("reporter", reporter)
    graph.add_edge(START, "planner")
    graph.add_conditional_edges("planner", each, ["counter"])
    graph.add_edge("counter", "adder")
    graph.add_edge("adder", "reporter")
    if clean:
        graph.add_node("desk", make_desk())
        graph.add_edge("reporter", "desk")
    graph.add_edge("desk" if clean else "reporter", END)
    total = sum(residents for _, residents in town.districts)
    head = report(subject=town.name, districts=len(town.districts), total=total)
    return App(
        name="map_reduce",
        graph=graph.compile(name="map_reduce"),
        given={"question": town.question},
        answer=lambda result: str(result.get("answer")),
        expected=" ".join([head, *(f"{name}: {shown(residents)}." for name, residents in town.districts)]),
        agents=("counter", "reporter"),
        tools={"register": "counter", "add": "adder"},
        edges=(("planner", "counter"), ("counter", "adder"), ("counter", "reporter"), ("adder", "reporter")),
        fields=(("reporter", "total"), ("adder", "counts")),
        parallel="counter",
        sends=(("planner", "counter"),),
        lists=(("counter", "adder"), ("counter", "reporter")),
    )
