"""Requests that differ in nothing but the choice of a tool or the form of the answer are different ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

import otel_mas
from otel_mas.errors import ReplayMiss
from otel_mas.semconv import attributes as names


class Size(BaseModel):
    metres: int


class Name(BaseModel):
    name: str


class Person(Name):
    name: str
    age: int = 0


@tool
def measure(what: str) -> str:
    """Measure."""
    return what


@tool
def look(what: str) -> str:
    """Look."""
    return what


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown()


def structured(chat: ChatOpenAI, form: Any) -> Any:
    return chat.with_structured_output(form, method="json_schema").invoke("What is it?")


def chosen(chat: ChatOpenAI, name: str) -> Any:
    return chat.bind_tools([measure, look], tool_choice=name).invoke("What is it?").tool_calls[0]["name"]


@pytest.mark.parametrize(("ask", "choices"), [(structured, (Size, Name)), (chosen, ("measure", "look"))])
def test_each_gets_its_own_answer_in_any_order(
    ask: Any, choices: tuple[Any, Any], store: Path, chat: ChatOpenAI
) -> None:
    with otel_mas.workflow("ask"):
        first = [ask(chat, one) for one in choices]
    otel_mas.flush()

    with otel_mas.replay("latest", source=store) as session, otel_mas.workflow("ask"):
        again = [ask(chat, one) for one in reversed(choices)]

    assert again[::-1] == first
    assert (session.answered, session.live) == (2, 0)


def test_another_form_of_the_answer_is_a_miss(store: Path, chat: ChatOpenAI) -> None:
    structured(chat, Name)
    otel_mas.flush()

    with pytest.raises(ReplayMiss, match=r"options\.response_format"), otel_mas.replay("latest", source=store):
        structured(chat, Person)


def test_a_recording_without_options_is_answered_by_the_rest_of_the_request(store: Path, chat: ChatOpenAI) -> None:
    name = structured(chat, Name)
    otel_mas.flush()

    with otel_mas.replay("latest", source=store) as session:
        for call in session.recording.calls:  # as an earlier version has recorded it
            del call.contents[names.MAS_REQUEST_OPTIONS]
        assert structured(chat, Name) == name
