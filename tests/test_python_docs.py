"""docs/python.md names everything public, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import otel_mas
from otel_mas.api.run import Run
from otel_mas.api.source import Source

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text()
ELSEWHERE = {"close", "capabilities", "location", "overdue", "error_messages", "run", "to_arrow", "incomplete"} | {
    "problems", "to_html", "to_pandas", "to_perfetto", "to_speedscope"
}  # fmt: skip
"""Names of handles that answer no question of their own."""


@pytest.mark.parametrize("name", sorted(set(otel_mas.__all__) - {"__version__"}))
def test_every_public_name_is_on_the_page(name: str) -> None:
    assert re.search(rf"`(otel_mas\.)?{name}\b", PAGE)


@pytest.mark.parametrize(("handle", "kind"), [("source", Source), ("trace", Run)])
def test_every_question_of_a_handle_is_on_the_page(handle: str, kind: type) -> None:
    public = {name for name in dir(kind) if not name.startswith("_")} - ELSEWHERE
    named = set(re.findall(rf"{handle}\.(\w+)", PAGE))

    assert sorted(public - named) == []


def test_the_page_names_no_method_that_is_not_there() -> None:
    from otel_mas.api.trace import Trace

    assert [name for name in re.findall(r"source\.(\w+)", PAGE) if not hasattr(Source, name)] == []
    assert [name for name in re.findall(r"trace\.(\w+)", PAGE) if not hasattr(Trace, name)] == []
