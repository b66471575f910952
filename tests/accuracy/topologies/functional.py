"""The functional API: an entrypoint that calls tasks, two of them at once, and passes their results on."""

from __future__ import annotations

from typing import Any

from langgraph.func import entrypoint, task

from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import RETRY, make_desk
from tests.accuracy.topologies.model import ScriptedModel, ask, listed, number_in, report, restates
from tests.accuracy.topologies.town import Trouble, cost_in, divided, make_tools, make_town, verdict


def build(seed: int = 0, *, clean: bool = False) -> App:
    town = make_town(seed)
    tools = make_tools(town, Trouble(*(("census",) if clean else ())))
    notes = ScriptedModel(script=restates("Noted"))
    writes = ScriptedModel(script=restates("Report"), model="scripted-large")
    desk = make_desk()
    policy = RETRY if clean else None

    @task(retry_policy=policy)
    def count_people(place: str) -> dict[str, Any]:
        found = number_in(tools["census"].invoke({"place": place}), "has")
        return {"population": number_in(ask(notes, "You count people.", listed(population=found)))}

    @task(retry_policy=policy)
    def estimate_cost(place: str) -> dict[str, Any]:
        found = cost_in(tools["estimate"].invoke({"project": f"tram line of {place}"}))
        return {"cost": number_in(ask(notes, "You estimate costs.", listed(cost=found)))}

    @task
    def compare(people: dict[str, Any], money: dict[str, Any]) -> dict[str, Any]:
        per_head = divided(tools, (money or {}).get("cost"), (people or {}).get("population"))
        return {**(people or {}), **(money or {}), "per_head": per_head, "verdict": verdict(per_head)}

    @task
    def write(facts: dict[str, Any]) -> str:
        known = {name: (facts or {}).get(name) for name in ("population", "cost", "per_head", "verdict")}
        return ask(writes, "You write the report.", listed(subject=town.name, **known))

    @entrypoint()
    def council(question: str) -> str:
        people, money = count_people(town.name), estimate_cost(town.name)
        answer = write(compare(people.result(), money.result()).result()).result()
        if clean:
            desk.invoke({"answer": answer})
        return answer

    return App(
        name="functional",
        graph=council,
        given=town.question,
        answer=str,
        expected=report(
            subject=town.name,
            population=town.population,
            cost=town.cost,
            per_head=town.per_head,
            verdict=town.verdict,
        ),
        agents=("count_people", "estimate_cost", "write"),
        tools={"census": "count_people", "estimate": "estimate_cost", "divide": "compare"},
        edges=(("count_people", "compare"), ("estimate_cost", "compare"), ("compare", "write")),
    )
