"""Apps about how agents work together: joins, hand-offs, histories, questions to people, work in series."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from random import Random
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphRecursionError
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt

from tests.accuracy.generated.family import Family, Setting
from tests.accuracy.generated.parts import State, in_a_row, nothing, place, roles, say, says, sentences, thing
from tests.accuracy.topologies.model import ScriptedModel

# -- joins -------------------------------------------------------------------------------------------------------------


def _join_of_later(setting: Setting) -> None:
    """A join waits for a node that comes after it; or for one that comes before it."""
    names = roles(setting.random, setting.random.randrange(3, 6))
    *early, joined, late = names
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    for name in names:
        graph.add_node(name, nothing)
    for name in early:
        graph.add_edge(START, name)
    graph.add_edge([*early, late], joined)
    graph.add_edge(joined if setting.holds else early[0], late)
    if not setting.holds:
        graph.add_edge(joined, END)
    graph.compile(name="office").invoke({}, setting.config)


def _join_of_not_taken(setting: Setting) -> None:
    """A join waits for a branch that was not taken; or it was, or the run was to end there."""
    random = setting.random
    first, router, branch, other, joined = roles(random, 5)
    chosen = other if setting.holds else random.choice((branch, END))
    graph: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    for name in (first, router, branch, other, joined):
        graph.add_node(name, nothing)
    graph.add_edge(START, first)
    graph.add_edge(START, router)
    graph.add_conditional_edges(router, lambda state: chosen, [branch, other, END])
    graph.add_edge([first, branch], joined)
    graph.compile(name="office").invoke({}, setting.config)


# -- hand-offs ---------------------------------------------------------------------------------------------------------


def _turns(setting: Setting) -> None:
    """Two to four agents say the same in four to seven rounds; or in two, or something new, or there is no model."""
    random = setting.random
    how = "same" if setting.holds else random.choice(("few rounds", "new", "poll"))
    agents = roles(random, random.randrange(2, 5))
    rounds = random.randrange(1, 3) if how == "few rounds" else random.randrange(4, 8)
    limited = setting.holds and random.random() < 0.3
    said = {name: [sentences(random) for _ in range(rounds if how == "new" else 1)] for name in agents}
    models = {name: says(*texts) for name, texts in said.items()}
    left = dict.fromkeys(agents, rounds)

    def node(name: str) -> Any:
        def works(state: State) -> State:
            left[name] -= 1
            if how == "poll":
                return {"answer": f"{name} is ready"}
            return {"answer": say(models[name], f"{state.get('answer', 'Begin.')}")}

        return works

    graph: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    for name in agents:
        graph.add_node(name, node(name))
    graph.add_edge(START, agents[0])
    for name, following in pairwise(agents):
        graph.add_edge(name, following)
    goes_on = lambda state: agents[0] if limited or left[agents[-1]] > 0 else END  # noqa: E731
    graph.add_conditional_edges(agents[-1], goes_on, [agents[0], END])
    with suppress(GraphRecursionError):
        limit = len(agents) * rounds if limited else 100
        graph.compile(name="office").invoke({}, {**setting.config, "recursion_limit": limit})


# -- histories ---------------------------------------------------------------------------------------------------------


def _history(setting: Setting) -> None:
    """A window of messages is cut to the question, and the opening is said again; or the opening stays in it."""
    random = setting.random
    cut_at, turns = random.randrange(2, 5), random.randrange(5, 8)
    opening, who = sentences(random), roles(random, 1)[0]
    how = "cut" if setting.holds else random.choice(("middle", "other words", "whole"))

    def script(messages: Sequence[BaseMessage]) -> str:
        said = [str(one.content) for one in messages if one.type == "ai"]
        return sentences(random) if opening in said or (how == "other words" and said_before) else opening

    said_before: list[str] = []
    model = ScriptedModel(script=script)

    def works(state: MessagesState) -> dict[str, Any]:
        kept = list(state["messages"])
        if len(said_before) == cut_at:
            kept = {"middle": [*kept[:2], *kept[-1:]], "whole": kept}.get(how, kept[:1])
        answer = model.invoke(kept)
        said_before.append(str(answer.content))
        return {"messages": [answer]}

    graph: StateGraph[Any, Any, Any, Any] = StateGraph(MessagesState)
    graph.add_node(who, works)
    graph.add_edge(START, who)
    graph.add_conditional_edges(who, lambda state: who if len(said_before) < turns else END, [who, END])
    graph.compile(name="office").invoke({"messages": [HumanMessage(f"Plan a {thing(random)}.")]}, setting.config)


# -- questions to people -----------------------------------------------------------------------------------------------


INPUT_TIMEOUT = "0.5"
"""Seconds that people have in all of these runs."""


def _question(setting: Setting) -> None:
    """No answer, or one that is late; or one in time, or the thread goes on without."""
    random = setting.random
    how = random.choice(("never", "never", "late") if setting.holds else ("in time", "goes on"))
    reviewer = roles(random, 1)[0]

    def review(state: State) -> State:
        return {"answer": str(interrupt(f"May the {thing(random)} open?")) if not state.get("first") else "as it was"}

    app = in_a_row("office", [("clerk of records", nothing), (reviewer, review)], checkpointer=InMemorySaver())
    app.invoke({}, setting.config)
    if how == "goes on":
        app.invoke({"first": "no question"}, setting.config)
    elif how != "never":
        time.sleep(0.51 if how == "late" else 0)
        app.invoke(Command(resume="yes"), setting.config)


# -- two runs of a thread ----------------------------------------------------------------------------------------------


def _two_runs(setting: Setting) -> None:
    """Two runs of a thread read it before either writes; or one after the other, or to a channel that adds."""
    random = setting.random
    how = "at once" if setting.holds else random.choice(("in turn", "adds"))
    at_once = how != "in turn"
    both = threading.Barrier(2 if at_once else 1)
    begun: set[int] = set()
    name = roles(random, 1)[0]
    texts = [sentences(random), sentences(random)]

    class Saver(InMemorySaver):
        def get_tuple(self, config: Any) -> Any:
            read = super().get_tuple(config)
            if threading.get_ident() not in begun:
                begun.add(threading.get_ident())
                both.wait(30)
            return read

    def write(state: State) -> State:
        text = texts.pop()
        return {"done": [text]} if how == "adds" else {"answer": text}

    app = in_a_row("office", [(name, write)], checkpointer=Saver())
    threads = [threading.Thread(target=app.invoke, args=({}, setting.config)) for _ in range(2)]
    for one in threads:
        one.start()
        if not at_once:
            one.join()
    for one in threads:
        one.join()


# -- work in series ----------------------------------------------------------------------------------------------------


def _subject(random: Random, number: int) -> str:
    """A question that shares no three words in a row with answers."""
    what = ("Who complains about {}?", "When did {} have its last repair?", "Which visitors like {}?", "How old is {}?")
    return what[number].format(place(random))


def _series(setting: Setting) -> None:
    """Two or three agents in a row, none of which reads what another wrote; or each reads the one before."""
    random = setting.random
    number = random.randrange(2, 4)
    channels = ("first", "second", "third")[:number]

    def slow(messages: Sequence[BaseMessage]) -> str:
        time.sleep(0.03)
        return sentences(random)

    model = ScriptedModel(script=slow)

    def node(at: int) -> Any:
        prompt = _subject(random, at)
        return lambda state: {
            channels[at]: say(model, prompt if setting.holds or not at else f"{prompt} {state[channels[at - 1]]}")
        }

    def editor(state: State) -> State:
        texts = " ".join(str(state.get(channel)) for channel in channels)
        return {"answer": say(says(sentences(random)), f"Sum up: {texts}")}

    *names, last = roles(random, number + 1)
    in_a_row("office", [*((name, node(at)) for at, name in enumerate(names)), (last, editor)]).invoke(
        {}, setting.config
    )


def _calls_in_series(setting: Setting) -> None:
    """A node asks its model two to four things one by one; or each with the answer before."""
    random = setting.random
    number = random.randrange(2, 5)

    def slow(messages: Sequence[BaseMessage]) -> str:
        time.sleep(0.03)
        return sentences(random)

    model = ScriptedModel(script=slow)

    def works(state: State) -> State:
        texts: list[str] = []
        for _ in range(number):
            before = "" if setting.holds or not texts else f" You said: {texts[-1]}"
            texts.append(say(model, f"{_subject(random, len(texts))}{before}"))
        return {"answer": " ".join(texts)}

    in_a_row("office", [(roles(random, 1)[0], works)]).invoke({}, setting.config)


FAMILIES = (
    Family(
        "deadlock",
        "a join waits for what comes after it, or for a branch that was not taken",
        "for what comes before it; the branch was taken, or chose the end",
        (_join_of_later, _join_of_not_taken),
    ),
    Family(
        "handoff-loop",
        "two to four agents say the same in four to seven rounds, or until the limit",
        "one or two rounds, something new in each, or no model",
        (_turns,),
        also=frozenset({"step-repetition"}),
    ),
    Family(
        "conversation-restart",
        "the history is cut to the question, and the opening said again",
        "cut in the middle, not at all, or other words are said",
        (_history,),
    ),
    Family(
        "overdue-answer",
        "no answer within the time that was given, or a later one",
        "an answer in time, or the thread goes on without",
        (_question,),
    ),
    Family(
        "inconsistent-state",
        "two runs of a thread at once write the same field",
        "in turn, or a field that adds",
        (_two_runs,),
    ),
    Family(
        "latency-stacking",
        "agents or calls in a row that read nothing of each other",
        "each reads the one before",
        (_series, _calls_in_series),
        thresholds={"stacking_seconds": 0.015},
    ),
)

__all__ = ["FAMILIES", "INPUT_TIMEOUT"]
