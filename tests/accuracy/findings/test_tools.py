"""Findings about tools, each in a real LangGraph app, and what comes close and is no fault."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import MessagesState
from pydantic import BaseModel

from otel_mas.model import Severity
from tests.accuracy.findings.agents import Model, agent_of, ask_for, in_turn, run_agent
from tests.accuracy.findings.conftest import Found

PAGE = "<html><head><title>502 Bad Gateway</title></head><body></body></html>"


@tool
def lookup(place: str) -> Any:
    """Look a place up."""
    return {"nowhere": "", "null island": None, "limbo": [], "crash": PAGE, "half": '[{"place": "ha'}.get(
        place, f"{place} has 12,000 inhabitants"
    )


@pytest.mark.parametrize(
    ("place", "code", "severity", "what"),
    [
        ("nowhere", "empty-tool-result-used", Severity.WARNING, "nothing"),
        ("limbo", "empty-tool-result-used", Severity.INFO, "an empty list"),
        ("crash", "malformed-tool-result-used", Severity.WARNING, "an error page (502 Bad Gateway)"),
        ("half", "malformed-tool-result-used", Severity.WARNING, "JSON that breaks off"),
    ],
)
def test_a_useless_result_that_the_model_answers_with(
    place: str, code: str, severity: Severity, what: str, found: Found
) -> None:
    run_agent(in_turn(ask_for(("lookup", {"place": place})), "Nobody lives there."), lookup)

    (one,) = found("empty-tool-result-used", "malformed-tool-result-used")

    assert (one.code, one.severity, one.rests_on) == (code, severity, ("recorded",))
    assert one.summary == f"model went on although lookup had returned {what}"
    assert one.messages


@pytest.mark.parametrize("place", ["nowhere", "limbo", "crash", "half"])
def test_a_useless_result_after_which_the_model_looks_elsewhere_is_none(place: str, found: Found) -> None:
    asks = ask_for(("lookup", {"place": place})), ask_for(("lookup", {"place": "Elmstead"}))
    run_agent(in_turn(*asks, "12,000"), lookup)

    assert found("empty-tool-result-used", "malformed-tool-result-used") == []


def test_a_tool_that_does_not_exist(found: Found) -> None:
    run_agent(in_turn(ask_for(("look_up", {"place": "Elmstead"})), "12,000"), lookup)

    (one,) = found("unknown-tool")

    assert (one.severity, one.confidence) == (Severity.WARNING, 1.0)
    assert one.summary == "model called look_up, a tool that does not exist"
    assert len(one.spans) == 2
    assert one.messages
    assert "(lookup)" in one.advice


@tool
def shop(item: str, number: int = 1) -> str:
    """Look into the shop's register."""
    Reply.model_validate({"item": item})
    return "never"


class Reply(BaseModel):
    item: str
    price: int


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "item: Field required"),
        (
            {"item": "tram", "number": "many"},
            "number: Input should be a valid integer, unable to parse string as an integer",
        ),
    ],
)
def test_arguments_that_a_tool_refuses(arguments: dict[str, Any], problem: str, found: Found) -> None:
    run_agent(in_turn(ask_for(("shop", arguments)), "I do not know."), shop)

    (one,) = found("unknown-tool", "invalid-arguments")

    assert (one.code, one.severity, one.confidence) == ("invalid-arguments", Severity.WARNING, 1.0)
    assert one.summary == f"model called shop with arguments that do not fit: {problem}"


def test_a_validation_error_about_the_tools_own_data_is_about_no_argument(found: Found) -> None:
    run_agent(in_turn(ask_for(("shop", {"item": "tram"})), "I do not know."), shop)

    none = found("unknown-tool", "invalid-arguments")

    assert (none, none.undecided) == ([], ())


@pytest.mark.parametrize(("quotes", "number"), [(False, 1), (True, 0)])
def test_a_result_that_is_left_out_of_the_history(quotes: bool, number: int, found: Found) -> None:
    model = Model(script=in_turn(ask_for(("lookup", {"place": "Elmstead"})), "Many.")).bind_tools([lookup])

    def call_model(state: MessagesState) -> dict[str, Any]:
        kept: list[BaseMessage] = [one for one in state["messages"] if not isinstance(one, ToolMessage)]
        notes = [f"Notes: {one.content}" for one in state["messages"] if isinstance(one, ToolMessage)]
        return {"messages": [model.invoke([*kept, *map(HumanMessage, notes if quotes else [])])]}

    agent_of(call_model, lookup).invoke({"messages": [HumanMessage("How many live there?")]})

    none_or_one = found("unused-result")

    assert len(none_or_one) == number
    for one in none_or_one:
        assert one.summary == "model called lookup and went on without reading what it returned"


def test_a_result_that_is_read_is_used(found: Found) -> None:
    run_agent(in_turn(ask_for(("lookup", {"place": "Elmstead"})), "12,000"), lookup)

    assert found("unused-result") == []
