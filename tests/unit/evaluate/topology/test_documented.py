"""The examples of docs/topology.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import otel_mas
from otel_mas.evaluate.topology import match, parse
from tests.fixtures.publishing import FAULTY

PAGE = Path(__file__).resolve().parents[4].joinpath("docs/topology.md").read_text(encoding="utf-8")
FAILING = "desk -> approval; researcher => {tools}*; edit joins write_section*; never publish before approval"


def test_the_failure_is_shown_as_it_is() -> None:
    (shown,) = re.findall(r"```text\n(.*?)\n  \.\.\.\n```", PAGE, re.DOTALL)
    with otel_mas.open(str(FAULTY)) as source:
        (summary,) = source.traces()

        assert match(FAILING, source.trace(summary.trace_id)).text.startswith(shown)


_TABLE = [line for line in PAGE.partition("## Statements")[2].splitlines() if line.startswith("| `")]
_WRITTEN = [code for line in _TABLE for code in re.findall(r"`([^`]+)`", line.split(" | ")[0])]


@pytest.mark.parametrize("text", _WRITTEN)
def test_each_statement_and_name_in_its_tables_is_of_the_language(text: str) -> None:
    assert parse(f"{text} -> b" if text.startswith("$") else text)


def test_its_tables_are_looked_at() -> None:
    assert {"b joins a", "nothing else", '"write_*"', "/writer"} <= set(_WRITTEN)
