"""A message of which nobody read anything, though somebody read those beside it, is unheard; others are not."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.findings.unheard import unheard
from tests.unit.analyse.findings.chain import chain


def message(text: str) -> list[dict[str, Any]]:
    return [{"role": "assistant", "text": text}]


WROTE = {
    "researcher1": {"messages": message("I found. Population: 81,296.")},
    "editor1": {"messages": message("I found. Cost: 67,800,000.")},
}


def read(text: str) -> list[tuple[str, str, str]]:
    """Writer, reader and label of what is unheard where the writer reads this."""
    found = unheard(chain({"writer1": [("user", text)]}, state=WROTE))
    return [(one.task.span_id, task.span_id, label) for one, task, label in found]


def test_a_message_that_is_missing_beside_another_one() -> None:
    assert read("- Cost: 67,800,000") == [("researcher1", "writer1", "population")]
    assert read("- Population: 81,296") == [("editor1", "writer1", "cost")]


@pytest.mark.parametrize(
    "text",
    [
        "- Cost: 67,800,000\n- Population: 81,296",
        "- Cost: 67,800,000\n- Population: unknown",
        "- Cost: 67,800,000\nI found. Population: 81,296.",
        "- Riders: 2,530",
        "Write a poem.",
    ],
    ids=["both", "its name without a value", "as it was", "nothing of either", "no values"],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert read(text) == []


def test_a_message_that_was_read_as_it_is() -> None:
    whole = [("assistant", "I found. Population: 81,296."), ("user", "- Cost: 67,800,000")]

    assert unheard(chain({"writer1": whole}, state=WROTE)) == []


def test_one_message_alone_has_nothing_beside_it() -> None:
    alone = {"researcher1": WROTE["researcher1"]}

    assert unheard(chain({"writer1": [("user", "- Cost: 67,800,000")]}, state=alone)) == ()
