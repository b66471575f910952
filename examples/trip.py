"""Agents without a framework: asyncio tasks with inboxes plan a trip. `otel-mas run -- python -m examples.trip`

The planner asks two agents at once; the booker waits for both, checks what they offer, and books or asks the traveller.
"""

from __future__ import annotations

import asyncio
from typing import Any

import otel_mas

BUDGET = 500
Inbox = asyncio.Queue[tuple[Any, dict[str, str]]]


@otel_mas.tool
async def search_flights(city: str) -> int:
    await asyncio.sleep(0.02)
    return 240


@otel_mas.tool
async def search_hotels(city: str, nights: int) -> int:
    await asyncio.sleep(0.01)
    return 70 * nights


@otel_mas.guardrail(target="input")
def no_passports(wish: str) -> bool:
    return "passport" not in wish


async def planner(wish: str, flights: Inbox, hotels: Inbox) -> None:
    with otel_mas.agent("planner") as me:
        me.input(wish)
        if not no_passports(wish):
            return
        for name, inbox in (("flights", flights), ("hotels", hotels)):
            await inbox.put((wish, otel_mas.send(wish, to=name)))


async def flights(inbox: Inbox, booker: Inbox) -> None:
    wish, carrier = await inbox.get()
    with otel_mas.agent("flights", caused_by=carrier):
        otel_mas.receive(wish, carrier, sender="planner")
        offer = f"flight: {await search_flights('Lisbon')}"
        await booker.put((offer, otel_mas.send(offer, to="booker")))


async def hotels(inbox: Inbox, booker: Inbox) -> None:
    wish, carrier = await inbox.get()
    with otel_mas.agent("hotels", caused_by=carrier):
        otel_mas.receive(wish, carrier, sender="planner")
        offer = f"hotel: {await search_hotels('Lisbon', nights=3)}"
        await booker.put((offer, otel_mas.send(offer, to="booker")))


async def booker(inbox: Inbox) -> str:
    offers = [await inbox.get(), await inbox.get()]
    with otel_mas.agent("booker", caused_by=[carrier for _, carrier in offers]) as me:
        for offer, carrier in offers:
            otel_mas.receive(offer, carrier)
        price = sum(int(offer.split(": ")[1]) for offer, _ in offers)
        me.state(price=price)
        with otel_mas.grade("affordable") as grade:
            grade.score(price <= BUDGET, f"{price} of {BUDGET}")
        choice = decide(price)
    with otel_mas.task(choice, caused_by=me):
        otel_mas.stage("done")
    return choice


@otel_mas.routing(candidates=["book", "ask_traveller"])
def decide(price: int) -> str:
    otel_mas.routing_reason(f"{price} is {'within' if price <= BUDGET else 'over'} the budget")
    return "book" if price <= BUDGET else "ask_traveller"


@otel_mas.workflow(name="trip")
async def plan(wish: str) -> str:
    to_flights, to_hotels, to_booker = Inbox(), Inbox(), Inbox()
    async with asyncio.TaskGroup() as group:
        group.create_task(planner(wish, to_flights, to_hotels))
        group.create_task(flights(to_flights, to_booker))
        group.create_task(hotels(to_hotels, to_booker))
        booked = group.create_task(booker(to_booker))
    return booked.result()


if __name__ == "__main__":
    print(asyncio.run(plan("Three nights in Lisbon")))
