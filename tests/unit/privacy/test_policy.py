"""Attributes of other instrumentation that stay where content is not wanted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_mas.privacy.policy import Rule, holds_text, rule

# No content is under these names.
KEPT = {
    "openinference": {
        "input.mime_type", "llm.provider", "openinference.span.kind", "output.mime_type", "session.id", "tool.name",
        "exception.type", "exception.escaped",
    },
    "openllmetry": {
        "error.type", "exception.type", "exception.escaped", "gen_ai.agent.id", "gen_ai.agent.name",
        "gen_ai.conversation.id", "gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model",
        "gen_ai.response.model", "gen_ai.task.id", "gen_ai.task.name", "gen_ai.task.parent.id", "gen_ai.task.status",
        "gen_ai.tool.name", "gen_ai.tool.type", "gen_ai.workflow.edges", "gen_ai.workflow.nodes",
        "langgraph.command.goto_node", "langgraph.command.goto_nodes", "langgraph.command.source_node",
        "traceloop.entity.name", "traceloop.entity.path", "traceloop.span.kind", "traceloop.workflow.name",
    },
}  # fmt: skip


@pytest.mark.parametrize("dialect", KEPT)
def test_of_recorded_spans_the_text_that_stays_is_structure(dialect: str, shared_data: Callable[[str], Path]) -> None:
    texts = {
        name
        for attributes in recorded(shared_data(f"dialects/{dialect}.jsonl.gz"))
        for name, value in attributes.items()
        if holds_text(value) and rule(name) is Rule.KEEP
    }

    assert texts == KEPT[dialect]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x", True),
        (b"x", True),
        (["", [("x",)]], True),
        ({"key": 1}, True),
        pytest.param(object(), True, id="object-True"),
        ("", False),
        (1, False),
        (None, False),
        ([1, 2.5, True, None], False),
    ],
    ids=repr,
)
def test_text_is_found_wherever_it_is(value: Any, expected: bool) -> None:
    assert holds_text(value) is expected


def recorded(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            span = json.loads(line)
            yield span["attributes"]
            yield from (event["attributes"] for event in span["events"])
