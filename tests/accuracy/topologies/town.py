"""The subject of every app: a town that thinks about its tram, with figures by a seed; and tools that know them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from langchain_core.tools import BaseTool, tool

_NAMES = ("Elmstead", "Harrow Vale", "Kingsmere", "Aldbrook", "Thornby", "Millport", "Westerleigh", "Oakford")
LIMIT = 800
"""Euros a head up to which a project is approved."""


@dataclass(frozen=True)
class Town:
    """A town and its project."""

    name: str
    population: int
    cost: int
    opening: str
    riders: int
    districts: tuple[tuple[str, int], ...]

    @property
    def per_head(self) -> int:
        return self.cost // self.population

    @property
    def verdict(self) -> str:
        return verdict(self.per_head)

    @property
    def question(self) -> str:
        return f"Should {self.name} reopen its tram line?"


def make_town(seed: int) -> Town:
    random = Random(f"town {seed}")
    population = random.randrange(11_317, 98_761, 7)
    names = random.sample(("North", "Harbour", "Mill Lane", "Old Town", "Station", "Hillside"), 4)
    return Town(
        name=random.choice(_NAMES),
        population=population,
        cost=random.randrange(211, 989) * 100_000,
        opening=f"20{random.randrange(31, 49)}-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}",
        riders=random.randrange(1_213, 9_887, 3),
        districts=tuple((name, random.randrange(1_103, 9_973, 11)) for name in names),
    )


def verdict(per_head: int | None) -> str:
    """Yes, no, or unknown without a figure."""
    return "unknown" if per_head is None else "yes" if per_head <= LIMIT else "no"


def a_head(cost: int | None, population: int | None) -> int | None:
    return cost // population if cost is not None and population else None


class Trouble:
    """What goes wrong on purpose in clean runs: the first call of some tools, once in each app that is built."""

    def __init__(self, *tools: str) -> None:
        self._left = set(tools)

    def hit(self, name: str) -> None:
        if name in self._left:
            self._left.discard(name)
            raise ConnectionError(f"{name}: connection reset by peer")


def make_tools(town: Town, trouble: Trouble) -> dict[str, BaseTool]:
    """The tools by name."""

    @tool
    def census(place: str) -> str:
        """Look up how many people live in a town."""
        trouble.hit("census")
        if place != town.name:
            return f"There is no entry for {place}."
        return f"{place} has {town.population:,} inhabitants at the last count."

    @tool
    def estimate(project: str) -> str:
        """Estimate the cost of a project."""
        trouble.hit("estimate")
        if town.name not in project:
            return f"There is no entry for {project}."
        return json.dumps({"project": project, "cost": town.cost, "currency": "EUR"})

    @tool
    def timetable(place: str) -> str:
        """Look up when a line could open."""
        trouble.hit("timetable")
        if place != town.name:
            return f"There is no entry for {place}."
        return f"The earliest opening day in {place} is {town.opening}."

    @tool
    def survey(place: str) -> str:
        """Count the people who would ride."""
        trouble.hit("survey")
        if place != town.name:
            return f"There is no entry for {place}."
        return f"{town.riders:,} people a day would ride in {place}."

    @tool
    def register(district: str, share: int) -> dict[str, Any]:
        """Look up a share (in per cent) of the residents of a district."""
        trouble.hit("register")
        residents = dict(town.districts).get(district)
        return {"district": district, "residents": None if residents is None else residents * share // 100}

    @tool
    def divide(total: int, parts: int) -> int:
        """Divide a total into parts."""
        return total // parts

    @tool
    def add(numbers: list[int]) -> int:
        """Add numbers."""
        return sum(numbers)

    return {one.name: one for one in (census, estimate, timetable, survey, register, divide, add)}


def divided(tools: dict[str, BaseTool], total: int | None, parts: int | None) -> int | None:
    """What the tool makes of two figures; None where one is not known, or it gives no number."""
    if total is None or not parts:
        return None
    found = tools["divide"].invoke({"total": total, "parts": parts})
    return found if isinstance(found, int) else None


def cost_in(text: str) -> int | None:
    """The cost in an estimate; None where it has none, or is no estimate."""
    try:
        found = json.loads(text)["cost"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None
