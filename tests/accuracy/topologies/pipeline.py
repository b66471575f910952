"""A pipeline: intake → researcher → analyst → writer, each of which hands over fields of the state."""

from __future__ import annotations

from typing import TypedDict

from langgraph.graph import END, START, StateGraph

from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import RETRY, make_desk
from tests.accuracy.topologies.model import ScriptedModel, ask, date_in, listed, number_in, report, restates
from tests.accuracy.topologies.town import Trouble, cost_in, divided, make_tools, make_town, verdict

_YEARS = 20
_REPORTED = ("subject", "years", "population", "opening", "cost", "per_head", "verdict")


class State(TypedDict, total=False):
    question: str
    subject: str
    asked_years: int
    years: int | None
    population: int | None
    opening: str | None
    notes: str
    cost: int | None
    per_head: int | None
    verdict: str
    answer: str


def build(seed: int = 0, *, clean: bool = False) -> App:
    town = make_town(seed)
    tools = make_tools(town, Trouble(*(("timetable", "estimate") if clean else ())))
    reads = ScriptedModel(script=restates("Notes"))
    writes = ScriptedModel(script=restates("Report"), model="scripted-large")

    def intake(state: State) -> State:
        subject = ask(ScriptedModel(script=lambda messages: town.name), "Name the town.", state["question"])
        return {"subject": subject, "asked_years": _YEARS}

    def researcher(state: State) -> State:
        place = state.get("subject") or "?"
        people, day = tools["census"].invoke({"place": place}), tools["timetable"].invoke({"place": place})
        heard = listed(years=state.get("asked_years"), people=people, day=day)
        notes = ask(reads, "Take notes.", heard)
        return {
            "population": number_in(notes, "has"),
            "opening": date_in(notes),
            "years": number_in(notes, "Years: "),
            "notes": notes,
        }

    def analyst(state: State) -> State:
        cost = cost_in(tools["estimate"].invoke({"project": f"tram line of {state.get('subject')}"}))
        per_head = divided(tools, cost, state.get("population"))
        return {"cost": cost, "per_head": per_head, "verdict": verdict(per_head)}

    def writer(state: State) -> State:
        facts = {
            name: state.get(name)
            for name in ("subject", "years", "population", "opening", "cost", "per_head", "verdict")
        }
        return {"answer": ask(writes, "Write the report.", f"Question: {state['question']}\n{listed(**facts)}")}

    graph = StateGraph(State)
    graph.add_node("intake", intake)
    graph.add_node("researcher", researcher, retry_policy=RETRY if clean else None)
    graph.add_node("analyst", analyst, retry_policy=RETRY if clean else None)
    graph.add_node("writer", writer)
    graph.add_edge(START, "intake")
    graph.add_edge("intake", "researcher")
    graph.add_edge("researcher", "analyst")
    graph.add_edge("analyst", "writer")
    if clean:
        graph.add_node("desk", make_desk())
        graph.add_edge("writer", "desk")
    graph.add_edge("desk" if clean else "writer", END)
    expected = report(
        subject=town.name,
        years=_YEARS,
        population=town.population,
        opening=town.opening,
        cost=town.cost,
        per_head=town.per_head,
        verdict=town.verdict,
    )
    return App(
        name="pipeline",
        graph=graph.compile(name="pipeline"),
        given={"question": town.question},
        answer=lambda result: str(result.get("answer")),
        expected=expected,
        agents=("intake", "researcher", "writer"),
        tools={"census": "researcher", "timetable": "researcher", "estimate": "analyst", "divide": "analyst"},
        edges=(("intake", "researcher"), ("researcher", "analyst"), ("researcher", "writer"), ("analyst", "writer")),
        fields=(("analyst", "population"), ("writer", "opening"), ("writer", "verdict")),
    )
