"""A debate: an advocate and an opponent speak for two rounds, each with a figure; a judge reads both and decides."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import RETRY, make_desk
from tests.accuracy.topologies.model import ScriptedModel, ask, listed, number_in, report, restates
from tests.accuracy.topologies.town import Trouble, a_head, cost_in, make_tools, make_town, verdict

_ROUNDS = 2


class State(TypedDict, total=False):
    question: str
    round: int
    claims: Annotated[list[str], operator.add]
    answer: str


def build(seed: int = 0, *, clean: bool = False) -> App:
    town = make_town(seed)
    tools = make_tools(town, Trouble(*(("survey", "estimate") if clean else ())))
    speaks = ScriptedModel(script=restates("I say"))
    judges = ScriptedModel(script=restates("Report"), model="scripted-large")

    def moderator(state: State) -> State:
        return {"round": state.get("round", 0) + 1}

    def advocate(state: State) -> State:
        riders = number_in(tools["survey"].invoke({"place": town.name}))
        claim = ask(speaks, "You speak for the tram.", listed(round=state["round"], riders=riders, verdict="yes"))
        return {"claims": [f"Advocate: {claim}"]}

    def opponent(state: State) -> State:
        cost = cost_in(tools["estimate"].invoke({"project": f"tram line of {town.name}"}))
        claim = ask(speaks, "You speak against the tram.", listed(round=state["round"], cost=cost, verdict="no"))
        return {"claims": [f"Opponent: {claim}"]}

    def judge(state: State) -> State:
        claims = state.get("claims", [])
        riders, cost = _claimed("Riders", claims), _claimed("Cost", claims)
        per_rider = a_head(cost, riders)
        decision = verdict(None if per_rider is None else per_rider // 20)
        facts = listed(
            subject=town.name, riders=riders, cost=cost, per_rider=per_rider, heard=len(claims), verdict=decision
        )
        both = "\n".join([*claims, facts])
        return {"answer": ask(judges, "You have read both sides. Decide.", both)}

    def again(state: State) -> list[str]:
        return ["moderator"] if state["round"] < _ROUNDS else ["judge"]

    def gate(state: State) -> State:
        return {}

    graph = StateGraph(State)
    graph.add_node("moderator", moderator)
    graph.add_node("advocate", advocate, retry_policy=RETRY if clean else None)
    graph.add_node("opponent", opponent, retry_policy=RETRY if clean else None)
    graph.add_node("gate", gate)
    graph.add_node("judge", judge)
    graph.add_edge(START, "moderator")
    graph.add_edge("moderator", "advocate")
    graph.add_edge("moderator", "opponent")
    graph.add_edge(["advocate", "opponent"], "gate")
    graph.add_conditional_edges("gate", again, ["moderator", "judge"])
    if clean:
        graph.add_node("desk", make_desk())
        graph.add_edge("judge", "desk")
    graph.add_edge("desk" if clean else "judge", END)
    per_rider = town.cost // town.riders
    return App(
        name="debate",
        graph=graph.compile(name="debate"),
        given={"question": town.question},
        answer=_answer,
        expected=report(
            subject=town.name,
            riders=town.riders,
            cost=town.cost,
            per_rider=per_rider,
            heard=2 * _ROUNDS,
            verdict=verdict(per_rider // 20),
        ),
        agents=("advocate", "opponent", "judge"),
        tools={"survey": "advocate", "estimate": "opponent"},
        edges=(("advocate", "judge"), ("opponent", "judge")),
        fields=(("judge", "claims"),),
        lists=(("advocate", "judge"), ("opponent", "judge")),
    )


def _claimed(what: str, claims: Sequence[str]) -> int | None:
    """The figure that the last claim names of those that name one."""
    return next((found for claim in reversed(claims) if (found := number_in(claim, f"{what}: ")) is not None), None)


def _answer(result: Any) -> str:
    return str(result.get("answer"))
