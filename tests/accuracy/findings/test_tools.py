"""Findings about tools, each in a real LangGraph app, and what comes close and is no fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from pydantic import BaseModel

from otel_mas.model import Severity
from tests.accuracy.findings.agents import ask_for, findings_of, in_turn, run_agent

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
    place: str, code: str, severity: Severity, what: str, recorded: Path
) -> None:
    run_agent(in_turn(ask_for(("lookup", {"place": place})), "Nobody lives there."), lookup)

    (found,) = findings_of(recorded, "empty-tool-result-used", "malformed-tool-result-used")

    assert (found.code, found.severity, found.rests_on) == (code, severity, ("recorded",))
    assert found.summary == f"model went on although lookup had returned {what}"
    assert found.messages


@pytest.mark.parametrize("place", ["nowhere", "limbo", "crash", "half"])
def test_a_useless_result_after_which_the_model_looks_elsewhere_is_none(place: str, recorded: Path) -> None:
    asks = ask_for(("lookup", {"place": place})), ask_for(("lookup", {"place": "Elmstead"}))
    run_agent(in_turn(*asks, "12,000"), lookup)

    assert findings_of(recorded, "empty-tool-result-used", "malformed-tool-result-used") == []


def test_a_tool_that_does_not_exist(recorded: Path) -> None:
    run_agent(in_turn(ask_for(("look_up", {"place": "Elmstead"})), "12,000"), lookup)

    (found,) = findings_of(recorded, "unknown-tool")

    assert (found.severity, found.confidence) == (Severity.WARNING, 1.0)
    assert found.summary == "model called look_up, a tool that does not exist"
    assert len(found.spans) == 2
    assert found.messages
    assert "(lookup)" in found.advice


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
def test_arguments_that_a_tool_refuses(arguments: dict[str, Any], problem: str, recorded: Path) -> None:
    run_agent(in_turn(ask_for(("shop", arguments)), "I do not know."), shop)

    (found,) = findings_of(recorded, "unknown-tool", "invalid-arguments")

    assert (found.code, found.severity, found.confidence) == ("invalid-arguments", Severity.WARNING, 1.0)
    assert found.summary == f"model called shop with arguments that do not fit: {problem}"


def test_a_validation_error_about_the_tools_own_data_is_about_no_argument(recorded: Path) -> None:
    run_agent(in_turn(ask_for(("shop", {"item": "tram"})), "I do not know."), shop)

    found = findings_of(recorded, "unknown-tool", "invalid-arguments")

    assert (found, found.undecided) == ([], ())
