"""The end of every clean run: everything that goes wrong there is dealt with, and somebody reads both sides.

Two assessors disagree and an arbiter reads both; an editor and a reviewer go round twice; a model is not there and
another one answers; a picture that nobody needs cannot be had. What is wrong is made good or does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from langchain_core.messages import BaseMessage
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from tests.accuracy.topologies.model import ScriptedModel, ask

RETRY = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)
_ROUNDS = 2


class Desk(TypedDict, total=False):
    answer: str
    hopeful: str
    doubtful: str
    opinion: str
    picture: str
    remarks: str
    rounds: int


def make_desk(*, name: str = "desk") -> Any:
    """A graph that reads an answer and leaves it as it is, once it is settled."""
    assessor = ScriptedModel(script=_assess)
    arbiter = ScriptedModel(script=_settle, model="scripted-large")
    editor = ScriptedModel(script=_unreachable, model="scripted-large").with_fallbacks([ScriptedModel(script=_edit)])
    reviewer = ScriptedModel(script=_review)
    failed: set[str] = set()

    def optimist(state: Desk) -> Desk:
        return {"hopeful": ask(assessor, "You look for what is good.", state["answer"])}

    def sceptic(state: Desk) -> Desk:
        if "sceptic" not in failed:  # is tried again, by its retry policy
            failed.add("sceptic")
            raise ConnectionError("connection reset by peer")
        return {"doubtful": ask(assessor, "You look for what is bad.", state["answer"])}

    def settle(state: Desk) -> Desk:
        both = f"Optimist: {state['hopeful']}\nSceptic: {state['doubtful']}\nReport: {state['answer']}"
        return {"opinion": ask(arbiter, "You read both sides and decide.", both)}

    def edit(state: Desk) -> Desk:
        try:
            picture = _picture()
        except FileNotFoundError:
            picture = ""  # the report does without
        text = f"{state['answer']}\nOpinion: {state['opinion']}\nRemarks: {state.get('remarks', 'none')}"
        return {"remarks": ask(editor, "You edit reports.", text), "picture": picture}

    def review(state: Desk) -> Desk:
        rounds = state.get("rounds", 0) + 1
        remarks = ask(reviewer, "You review reports.", f"Round {rounds}: {state['remarks']}")
        return {"rounds": rounds, "remarks": remarks}

    def again(state: Desk) -> str:
        return "editor" if state["rounds"] < _ROUNDS else END

    graph = StateGraph(Desk)
    graph.add_node("optimist", optimist)
    graph.add_node("sceptic", sceptic, retry_policy=RETRY)
    graph.add_node("arbiter", settle)
    graph.add_node("editor", edit)
    graph.add_node("reviewer", review)
    graph.add_edge(START, "optimist")
    graph.add_edge(START, "sceptic")
    graph.add_edge(["optimist", "sceptic"], "arbiter")
    graph.add_edge("arbiter", "editor")
    graph.add_edge("editor", "reviewer")
    graph.add_conditional_edges("reviewer", again, ["editor", END])
    return graph.compile(name=name)


def _assess(messages: Sequence[BaseMessage]) -> str:
    good = "good" in str(messages[0].content)
    return "Verdict: yes. The figures hold." if good else "Verdict: no. The figures are too hopeful."


def _settle(messages: Sequence[BaseMessage]) -> str:
    return "I read that the optimist says yes and the sceptic says no; the report weighs both and stands."


def _unreachable(messages: Sequence[BaseMessage]) -> str:
    raise TimeoutError("the model did not answer")


def _edit(messages: Sequence[BaseMessage]) -> str:
    text = str(messages[-1].content)
    return f"Edited, {len(text.split())} words, remarks heeded: {text.rsplit('Remarks: ', 1)[-1][:60]}"


def _review(messages: Sequence[BaseMessage]) -> str:
    text = str(messages[-1].content)
    return "Shorten the second sentence." if text.startswith("Round 1") else "Nothing more to say."


def _picture() -> str:
    raise FileNotFoundError("there is no picture of the tram")
