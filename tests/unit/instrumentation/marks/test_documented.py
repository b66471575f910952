"""The examples of docs/marking.md run, and make the spans that the page says."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.instrumentation import judgements
from otel_mas.instrumentation import marks as marking

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "marking.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ROWS = re.findall(r"^\| `(\w+)\((\"[\w ]+\")\)` \| `([^`]+)` \|", PAGE, re.MULTILINE)


async def test_its_examples_run_and_record_what_they_say(run: Any) -> None:
    scope: dict[str, Any] = {"otel_mas": otel_mas}
    for block in BLOCKS:
        code = compile(block, "docs/marking.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        done = eval(code, scope)
        if inspect.iscoroutine(done):
            await done
    spans = run.spans()
    assert [span.name for span in spans if span.status.name == "ERROR"] == []
    assert {
        "invoke_workflow report",
        "invoke_agent researcher",
        "execute_tool search",
        "guardrail no_addresses",
        "evaluate relevance",
        "route decide",
        "send booker",
        "receive planner",
        "task crawl",
    } <= {span.name for span in spans}
    assert {(kind, cause, effect) for kind, cause, effect in run.control_edges()} == {
        ("trigger", "reporter#1", "editor#1"),
        ("trigger", "photographer#1", "editor#1"),
        ("send", "planner#1", "booker#1"),
    }
    assert run.contents(run.named("route decide")) == {"mas.routing.reason": "450 is within the budget"}
    assert run.named("guardrail no_addresses").attributes["mas.guardrail.verdict"] == "block"


@pytest.mark.parametrize(("mark", "name", "span"), ROWS)
def test_each_mark_makes_the_span_of_its_row(run: Any, mark: str, name: str, span: str) -> None:
    with getattr(otel_mas, mark)(name.strip('"')):
        pass
    assert [one.name for one in run.spans()] == [span]


def test_every_mark_is_on_the_page() -> None:
    assert {name for name in marking.__all__ if f"`{name}" not in PAGE and f"otel_mas.{name}" not in PAGE} == set()
    assert {row[0] for row in ROWS} == set(marking.__all__) - {
        "event",
        "profiled",
        "receive",
        "routing_reason",
        "send",
        "stage",
        "state",
    }


def test_the_fields_of_a_judgement_are_those_on_the_page() -> None:
    (row,) = [line for line in PAGE.splitlines() if "where the schema is a judgement" in line]
    on_page = set(re.findall(r"`(\w+)`", row.split("judgement:")[1]))
    assert on_page == set(judgements.VERDICTS) | set(judgements.WITH_REASON) | set(judgements.REASONS)
