"""Why a LangGraph app went where it went: reasons of routing decisions, grades of models.

The truths are written by hand from reading the apps below. None of these apps but those of the first part has a word of
otel-mas in it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel, Field

import otel_mas
from otel_mas.semconv.enums import RecordKind
from tests.accuracy.explained import Recorded, State, answer, nothing, run, saying
from tests.accuracy.features import make_agent


@pytest.fixture
def look(recorded: Path) -> Callable[[], Recorded]:
    return lambda: Recorded(recorded)


# -- reasons that the app gives ----------------------------------------------------------------------------------------


def test_a_reason_given_in_a_routing_function_is_that_of_its_decision(look: Callable[[], Recorded]) -> None:
    def who(state: State) -> str:
        otel_mas.routing_reason("b knows trams")
        return "b"

    graph = StateGraph(State)
    for name in ("a", "b", "c"):
        graph.add_node(name, nothing)
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", who, ["b", "c"])
    run(graph)
    assert look().decisions() == [("who", ("b",), "b knows trams")]


async def test_a_reason_given_in_an_async_node_is_that_of_the_decision_after_it(look: Callable[[], Recorded]) -> None:
    async def a(state: State) -> State:
        otel_mas.routing_reason("b knows trams")
        return {}

    async def who(state: State) -> str:
        return "b"

    graph = StateGraph(State)
    graph.add_node("a", a)
    graph.add_node("b", nothing)
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", who, ["b", END])
    await graph.compile().ainvoke({})
    assert look().decisions() == [("who", ("b",), "b knows trams")]


def test_a_reason_with_a_choice_finds_its_decision_among_several(look: Callable[[], Recorded]) -> None:
    def a(state: State) -> State:
        otel_mas.routing_reason("c is idle", choice="c")
        otel_mas.routing_reason("b knows trams", choice="b")
        return {}

    def first(state: State) -> str:
        return "b"

    def second(state: State) -> str:
        return "c"

    graph = StateGraph(State)
    graph.add_node("a", a)
    for name in ("b", "c"):
        graph.add_node(name, nothing)
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", first, ["b"])
    graph.add_conditional_edges("a", second, ["c"])
    run(graph)
    assert sorted(look().decisions()) == [("first", ("b",), "b knows trams"), ("second", ("c",), "c is idle")]


def test_a_reason_given_before_a_command_is_that_of_the_command(look: Callable[[], Recorded]) -> None:
    def a(state: State) -> Command[Literal["b"]]:
        otel_mas.routing_reason("b knows trams")
        return Command(goto="b")

    graph = StateGraph(State)
    graph.add_node("a", a)
    graph.add_node("b", nothing)
    graph.add_edge(START, "a")
    run(graph)
    assert look().decisions() == [("Command", ("b",), "b knows trams")]


def test_a_reason_that_no_decision_takes_up_is_a_decision_of_whoever_gave_it(look: Callable[[], Recorded]) -> None:
    def a(state: State) -> State:
        otel_mas.routing_reason("nobody else is there", choice="b", candidates=["b"])
        return {}

    graph = StateGraph(State)
    graph.add_node("a", a)
    graph.add_edge(START, "a")
    run(graph)
    found = look()
    assert found.decisions() == [("a", ("b",), "nobody else is there")]
    assert found.parent(found.kind("ROUTING_DECISION")[0]).task_name == "a"


def test_a_reason_given_in_a_tool_that_hands_over_is_that_of_the_handoff(look: Callable[[], Recorded]) -> None:
    @tool
    def ask_bob() -> Command[Any]:
        """Hand over to Bob."""
        otel_mas.routing_reason("Bob knows trams")
        return Command(goto="bob", graph=Command.PARENT)

    called = AIMessage("", tool_calls=[{"name": "ask_bob", "args": {}, "id": "call_1"}])
    graph = StateGraph(State)
    graph.add_node("alice", make_agent(saying(called), [ask_bob], name="alice"), destinations=("bob",))
    graph.add_node("bob", nothing)
    graph.add_edge(START, "alice")
    run(graph)
    found = look()
    assert ("ask_bob", ("bob",), "Bob knows trams") in found.decisions()
    assert [span.name for span in found.trace.spans if span.status.name == "ERROR"] == []


def test_marked_agents_in_a_node_are_inside_of_its_task(look: Callable[[], Recorded]) -> None:
    def a(state: State) -> State:
        with otel_mas.agent("expert"):
            otel_mas.routing_reason("b knows trams")
        return {}

    graph = StateGraph(State)
    graph.add_node("a", a)
    graph.add_node("b", nothing)
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", lambda state: "b", ["b", END])
    run(graph)
    found = look()
    assert [reason for _, _, reason in found.decisions()] == ["b knows trams"]
    (expert,) = [span for span in found.trace.spans if span.agent == "expert"]
    assert found.parent(expert).task_name == "a"
    labels = found.trace.graph().labels()
    assert labels[expert.span_id] == "a#1/expert#1"


# -- reasons that a model gave -----------------------------------------------------------------------------------------


class Route(BaseModel):
    """Choose the next one."""

    next: Literal["b", "c", "FINISH"]
    reasoning: str = Field(description="Why.")


def supervised(*answers: AIMessage, ends: Any = ("b", "c")) -> StateGraph[Any, Any, Any, Any]:
    """A supervisor whose routing model decides, as in LangGraph's tutorials."""
    model = saying(*answers).with_structured_output(Route)

    def supervisor(state: State) -> State:
        for _ in answers:
            choice = model.invoke("who?")
        assert isinstance(choice, Route)
        return {"next": choice.next}

    def who(state: State) -> str:
        return state["next"]

    graph = StateGraph(State)
    graph.add_node("supervisor", supervisor)
    for name in ("b", "c"):
        graph.add_node(name, nothing)
    graph.add_edge(START, "supervisor")
    graph.add_conditional_edges("supervisor", who, ends if isinstance(ends, dict) else list(ends))
    return graph


def test_the_reason_of_a_routing_model_is_that_of_the_edge_that_follows_it(look: Callable[[], Recorded]) -> None:
    run(supervised(answer("Route", next="b", reasoning="b knows trams")))
    assert look().decisions() == [("who", ("b",), "b knows trams")]


def test_a_models_answer_may_name_the_edges_label(look: Callable[[], Recorded]) -> None:
    run(supervised(answer("Route", next="FINISH", reasoning="all done"), ends={"b": "b", "FINISH": END}))
    assert look().decisions() == [("who", ("__end__",), "all done")]


def test_of_several_answers_the_one_that_names_the_choice_is_taken(look: Callable[[], Recorded]) -> None:
    run(supervised(answer("Route", next="c", reasoning="c is idle"), answer("Route", next="b", reasoning="trams")))
    assert look().decisions() == [("who", ("b",), "trams")]


def test_answers_that_name_the_choice_for_different_reasons_leave_it_open(look: Callable[[], Recorded]) -> None:
    run(supervised(answer("Route", next="b", reasoning="one"), answer("Route", next="b", reasoning="two")))
    assert look().decisions() == [("who", ("b",), None)]


def test_an_answer_that_does_not_name_the_choice_is_no_reason(look: Callable[[], Recorded]) -> None:
    model = saying(answer("Route", next="c", reasoning="c is idle")).with_structured_output(Route)

    def a(state: State) -> Command[Literal["b"]]:
        model.invoke("who?")
        return Command(goto="b")

    graph = StateGraph(State)
    graph.add_node("a", a)
    graph.add_node("b", nothing)
    graph.add_edge(START, "a")
    run(graph)
    assert look().decisions() == [("Command", ("b",), None)]


def test_an_answer_of_another_task_is_no_reason(look: Callable[[], Recorded]) -> None:
    model = saying(answer("Route", next="b", reasoning="b knows trams")).with_structured_output(Route)

    def ask(state: State) -> State:
        model.invoke("who?")
        return {}

    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_node("a", nothing)
    graph.add_node("b", nothing)
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "a")
    graph.add_conditional_edges("a", lambda state: "b", ["b", END])
    run(graph)
    assert [reason for _, _, reason in look().decisions()] == [None]


def test_what_the_app_says_goes_before_what_a_model_said(look: Callable[[], Recorded]) -> None:
    model = saying(answer("Route", next="b", reasoning="the model's")).with_structured_output(Route)

    def a(state: State) -> Command[Literal["b"]]:
        model.invoke("who?")
        otel_mas.routing_reason("the app's")
        return Command(goto="b")

    graph = StateGraph(State)
    graph.add_node("a", a)
    graph.add_node("b", nothing)
    graph.add_edge(START, "a")
    run(graph)
    assert [reason for _, _, reason in look().decisions()] == ["the app's"]


# -- grades ------------------------------------------------------------------------------------------------------------


class GradeDocuments(BaseModel):
    """As in the tutorials on corrective and self-reflective RAG."""

    binary_score: str = Field(description="Documents are relevant to the question, 'yes' or 'no'")


class GradeAnswer(BaseModel):
    score: int
    explanation: str


class Player(BaseModel):
    name: str
    score: int


class Feedback(BaseModel):
    """As in the tutorial on evaluator-optimizer workflows."""

    grade: Literal["funny", "not funny"]
    feedback: str


def test_a_node_that_grades_documents_grades_each_one_and_the_edge_follows(look: Callable[[], Recorded]) -> None:
    grader = saying(
        answer("GradeDocuments", binary_score="yes"), answer("GradeDocuments", binary_score="no")
    ).with_structured_output(GradeDocuments)

    def grade_documents(state: State) -> State:
        kept = [document for document in ("trams", "pools") if grader.invoke(document).binary_score == "yes"]  # type: ignore[union-attr]
        return {"documents": kept}

    def decide_to_generate(state: State) -> str:
        return "generate" if state["documents"] else "rewrite"

    graph = StateGraph(State)
    graph.add_node("grade_documents", grade_documents)
    for name in ("generate", "rewrite"):
        graph.add_node(name, nothing)
    graph.add_edge(START, "grade_documents")
    graph.add_conditional_edges("grade_documents", decide_to_generate, ["generate", "rewrite"])
    run(graph)
    found = look()
    assert found.grades() == [("GradeDocuments", None, "yes", None), ("GradeDocuments", None, "no", None)]
    assert found.decisions() == [("decide_to_generate", ("generate",), None)], "yes is not the name of a node"
    grades, calls = found.kind("EVALUATION"), found.kind("LLM_CALL")
    assert [found.parent(grade) for grade in grades] == calls
    assert {found.parent(call).task_name for call in calls} == {"grade_documents"}


async def test_a_grade_in_a_routing_function_is_one_of_its_task(look: Callable[[], Recorded]) -> None:
    grader = saying(answer("GradeAnswer", score=2, explanation="off topic")).with_structured_output(GradeAnswer)

    async def grade(state: State) -> str:
        graded = await grader.ainvoke("is it?")
        assert isinstance(graded, GradeAnswer)
        return "rewrite" if graded.score < 3 else END

    graph = StateGraph(State)
    graph.add_node("generate", nothing)
    graph.add_node("rewrite", nothing)
    graph.add_edge(START, "generate")
    graph.add_conditional_edges("generate", grade, ["rewrite", END])
    await graph.compile().ainvoke({})
    found = look()
    assert found.grades() == [("GradeAnswer", 2.0, None, "off topic")]
    (call,) = found.kind("LLM_CALL")
    assert found.parent(call).task_name == "generate"


def test_a_grade_is_one_without_a_graph_as_well(look: Callable[[], Recorded]) -> None:
    saying(answer("Feedback", grade="not funny", feedback="no pun")).with_structured_output(Feedback).invoke("joke?")
    assert look().grades() == [("Feedback", None, "not funny", "no pun")]


def test_a_form_that_says_something_else_is_no_grade(look: Callable[[], Recorded]) -> None:
    saying(answer("Player", name="Ann", score=3)).with_structured_output(Player).invoke("who?")
    assert look().grades() == []


def test_an_answer_that_is_none_is_no_grade(look: Callable[[], Recorded]) -> None:
    saying(AIMessage("I do not know")).with_structured_output(GradeDocuments).invoke("is it?")
    assert look().grades() == []


def test_a_node_is_no_guardrail_because_of_its_name(look: Callable[[], Recorded]) -> None:
    graph = StateGraph(State)
    graph.add_node("guardrail", nothing)
    graph.add_edge(START, "guardrail")
    run(graph)
    assert look().guardrails() == []


class Picks:
    def __call__(self, state: Any) -> str:
        return END


def picks(_: int, state: Any) -> str:
    return END


@pytest.mark.parametrize(("path", "name"), [(Picks(), "Picks"), (functools.partial(picks, 1), "picks")])
def test_whoever_decides_has_a_name_where_it_is_no_plain_function(path: Any, name: str, recorded: Path) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("a", lambda state: {})
    graph.add_edge(START, "a")
    graph.add_conditional_edges("a", path, ["a", END])
    graph.compile().invoke({"messages": []})
    otel_mas.flush()
    with otel_mas.open(recorded) as source:
        (decision,) = [span for span in source.latest().spans if span.record_kind == RecordKind.ROUTING_DECISION]
    assert name in decision.name
