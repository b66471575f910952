"""Messages and names that nobody wrote so, and that are much like what was written, are rewritten; others are not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otel_mas.analyse.findings.rewritten import rewritten_messages, rewritten_names
from tests.unit.analyse.findings.chain import chain

WROTE = "The bridge takes two years and forty million euros, and opens in spring."


def messages(*read: tuple[str, str]) -> list[tuple[str, str]]:
    """Tasks that read a rewritten message, and its beginning."""
    facts = chain({"writer1": read}, says={"researcher1": WROTE})
    return [(task.span_id, text) for task, text in rewritten_messages(facts)]


def test_a_message_of_an_agent_with_other_letters() -> None:
    other = WROTE.replace("bridge", "brxdge").replace("spring", "sprang")

    assert messages(("assistant", other)) == [("writer1", other[:40])]


@pytest.mark.parametrize(
    "read",
    [
        ("assistant", WROTE),
        ("user", WROTE.replace("bridge", "brxdge")),
        ("assistant", WROTE[:50]),
        ("assistant", "Nobody complains about the noise of trams at night, as far as we know."),
        ("assistant", "brxdge"),
    ],
    ids=["as it was", "the words of a person", "cut to fit", "another text", "too short to tell"],
)
def test_what_is_no_rewritten_message(read: tuple[str, str]) -> None:
    assert messages(read) == []


DISTRICTS = ("Old Town", "Hillside", "Station")


def names(*labels: str, districts: Sequence[str] = DISTRICTS) -> list[tuple[str, list[tuple[str, str]]]]:
    """Tasks that read rewritten names, with what was written."""
    state = {"researcher1": {"facts": dict(zip(("first", "second", "third"), districts, strict=True))}}
    facts = chain({"writer1": [("user", "\n".join(f"- {label}: 1,234" for label in labels))]}, state=state)
    return [(task.span_id, list(alike)) for task, alike in rewritten_names(facts)]


def test_names_with_other_letters() -> None:
    assert names("Ocd Toun", "Hilcsvde", "Station") == [
        ("writer1", [("ocd toun", "old town"), ("hilcsvde", "hillside")])
    ]


@pytest.mark.parametrize(
    "labels",
    [
        DISTRICTS,
        ("Ocd Toun", "Hillside", "Station"),
        ("Harbour", "Parkside", "North Gate"),
        ("Old Road", "Hill Town", "Station"),
        ("Old Town", "Hillside", "Station", "Stotian", "Hallside"),
    ],
    ids=["as they were", "one alone", "other names", "names with words of those", "beside what was written"],
)
def test_what_are_no_rewritten_names(labels: Sequence[str]) -> None:
    assert names(*labels) == []
