"""Apps about values that agents hand on: contradictions, corrections, and values that change on the way."""

from __future__ import annotations

from random import Random
from typing import Any

from langgraph.graph import END, START, StateGraph

from tests.accuracy.generated.family import Family, Setting
from tests.accuracy.generated.parts import ECHO, State, in_a_row, place, roles, say, says, sentences, thing

# -- contradictions ----------------------------------------------------------------------------------------------------


def _pair(random: Random, *, contradict: bool) -> tuple[str, str]:
    """Two values of one thing by the same name, that contradict each other, or do not."""
    kind = random.choice(("verdict", "number", "day", "choice"))
    choice = random.choice(("Choice", "Decision", "Recommendation", "Winner"))
    label = {"verdict": "Verdict", "number": "Cost", "day": "Opening", "choice": choice}[kind]
    if kind == "verdict":
        one, other = random.choice((("yes", "no"), ("approve", "reject"), ("no", "yes")))
        return f"{label}: {one}", f"{label}: {other if contradict else one}"
    if kind == "number":
        cost = random.randrange(20_000, 90_000)
        factor = random.uniform(1.1, 1.8) if contradict else random.uniform(0.97, 1.03)
        return f"{label}: {cost:,} EUR", f"{label}: {int(cost * factor):,} EUR"
    if kind == "day":
        day, month = random.randrange(10, 20), random.randrange(1, 10)
        return f"{label}: 2041-0{month}-{day}", f"{label}: 2041-0{month}-{day + contradict * random.randrange(2, 8)}"
    one, other = random.sample(("Riverside", "Hillside", "Lakeside", "Parkside"), 2)
    return f"{label}: {one}", f"{label}: {other if contradict else one}"


def _branches(setting: Setting) -> None:
    """Two branches contradict each other, and a third agent reads one or both; or they agree, or are of two things."""
    random = setting.random
    two_things = not setting.holds and random.random() < 0.3
    one, other = _pair(random, contradict=setting.holds)
    if two_things:
        cost = random.randrange(20_000, 90_000)
        one, other = f"Cost: {cost:,} EUR", f"Income: {2 * cost:,} EUR"
    names = roles(random, 3)
    both = random.random() < 0.5
    subject = f"the {thing(random)} of {place(random)}"
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    graph.add_node(names[0], lambda state: {"first": say(says(f"I looked into it.\n{one}"), f"Look into {subject}.")})
    graph.add_node(names[1], lambda state: {"second": say(says(f"I thought of it.\n{other}"), f"Think of {subject}.")})

    def judge(state: State) -> State:
        read = state["first"] + ("\n" + state["second"] if both else "")
        return {"answer": say(says(f"My report on {subject}.\n{one}"), read)}

    graph.add_node(names[2], judge)
    graph.add_edge(START, names[0])
    graph.add_edge(START, names[1])
    graph.add_edge([names[0], names[1]], names[2])
    graph.add_edge(names[2], END)
    graph.compile(name="office").invoke({}, setting.config)


# -- corrections -------------------------------------------------------------------------------------------------------


def _correction(setting: Setting) -> None:
    """A writer repeats what was corrected, without the correction; or has it, or says something else."""
    random = setting.random
    what, where = thing(random), place(random)
    old, new = (str(number) for number in random.sample(range(20, 99), 2))
    unit = random.choice(("million", "thousand", "EUR"))
    corrects = random.choice(
        (
            f"Correction: the {what} of {where} costs {new} {unit}, not {old} {unit}.",
            f"I made a mistake: the cost of the {what} is {new} instead of {old}.",
            f"The cost of the {what} was corrected from {old} to {new}.",
            f"The cost of the {what} is no longer {old} {unit}: it is not {old}, but {new}.",
        )
    )
    states = f"The {what} of {where} takes a cost of {old} {unit}."
    how = "old" if setting.holds else random.choice(("read", "says both", "about another"))
    writes = {
        "read": f"The cost of the {what} is {new} {unit}.",
        "says both": f"The cost of the {what} is {new} {unit}, and was {old} before.",
        "about another": f"{where} has {old} trams.",
    }.get(how, random.choice((f"The {what} will cost {old} {unit}.", f"In short: the cost of the {what} is {old}.")))
    first, second, last = roles(random, 3)
    in_a_row(
        "office",
        [
            (first, lambda state: {"first": say(ECHO, states)}),
            (second, lambda state: {"second": say(ECHO, corrects)}),
            (last, lambda state: {"answer": say(says(writes), _read(state, how))}),
        ],
    ).invoke({}, setting.config)


def _read(state: State, how: str) -> str:
    return f"Sum up: {state['first']} {state['second'] if how in ('read', 'says both') else ''}"


# -- values that change ------------------------------------------------------------------------------------------------


def _changed(setting: Setting) -> None:
    """A prompt has another number, day or verdict than the state; or the same, rounded, or with what a tool brought."""
    random = setting.random
    cost, riders = random.randrange(20_011, 98_999), random.randrange(1_013, 9_871)
    kind = random.choice(("number", "day", "verdict"))
    day = f"2041-0{random.randrange(1, 10)}-{random.randrange(10, 20)}"
    written: dict[str, Any] = {"cost": cost, "opening": day, "verdict": "yes"}
    read = dict(written)
    if setting.holds:
        strange = {
            "number": ("cost", cost * random.choice((3, 7)) + random.randrange(100, 900)),
            "day": ("opening", f"2047-1{random.randrange(3)}-{random.randrange(20, 29)}"),
            "verdict": ("verdict", "no"),
        }
        read |= [strange[kind]]
    elif kind == "number":
        read["cost"] = random.choice((round(cost, -2), cost, f"{cost / 1000:.1f} thousand"))
    first, second, last = roles(random, 3)

    class Facts(State, total=False):
        cost: int
        opening: str
        verdict: str
        riders: int

    def finds(state: Facts) -> Facts:
        say(says(f"Noted for {place(random)}."), sentences(random))
        return {"cost": cost, "opening": day, "verdict": "yes"}

    def writes(state: Facts) -> Facts:
        lines = "\n".join(f"- {name.capitalize()}: {value}" for name, value in read.items())
        return {"answer": say(ECHO, f"Write about {place(random)}.\n{lines}\n- Riders: {state['riders']}")}

    nodes = [(first, finds), (second, lambda state: {"riders": riders}), (last, writes)]
    in_a_row("office", nodes, Facts).invoke({}, setting.config)


FAMILIES = (
    Family(
        "emergent-disagreement",
        "two branches contradict each other: verdicts, choices, days, numbers by 10 to 80 %",
        "the same, numbers within 3 %, or two names",
        (_branches,),
    ),
    Family(
        "retracted-statement-used",
        "a writer states the old value and has not read the correction",
        "it has read it, says both, or the number of another thing",
        (_correction,),
    ),
    Family(
        "inconsistent-state",
        "a prompt has another number or day, or the opposite, of the state",
        "the same, or rounded",
        (_changed,),
        also=frozenset({"causal-amnesia"}),
    ),
)

__all__ = ["FAMILIES"]
