"""The example of profiled functions on the page about profiles, and what it prints."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from otel_mas.cli import cli
from tests.unit.instrumentation.marks.conftest import Run

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "profile.md").read_text()
_TIME = re.compile(r"[\d.]+ (?:s|ms|µs)")


def test_the_example_prints_the_table_that_is_shown(run: Run) -> None:
    """All but the times, which differ from run to run."""
    section = PAGE.split("## Functions of your own")[1]
    code, table = re.findall(r"```(?:python|text)\n(.*?)```", section, re.DOTALL)[:2]
    app: dict[str, Any] = {"__name__": "app", "asyncio": asyncio}
    exec(code, app)
    assert asyncio.run(app["read"]()) == ["a", "b", "c"]
    run.spans()

    printed = CliRunner().invoke(cli, ["profile", "--store", str(run.path)]).stdout
    shown = printed[printed.index("profiled functions") :].split("\n\n")[0]

    assert words(shown) == words(table.strip())


def words(table: str) -> list[list[str]]:
    return [_TIME.sub("time", line).split() for line in table.splitlines()]
