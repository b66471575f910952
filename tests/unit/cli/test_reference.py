"""The page about the command line is that of the code."""

from __future__ import annotations

from pathlib import Path

from otel_mas.cli import COMMANDS
from otel_mas.cli.reference import reference

WITHOUT_JSON = (
    "alerts",
    "mcp",
    "query",
    "run",
    "report",
    "ship",
    "export",
    "import",
    "replay",
    "serve",
    "store",
    "metrics",
)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "cli.md"


def test_the_committed_page_is_what_the_generator_prints() -> None:
    """After a change: python -m otel_mas.cli.reference > docs/cli.md"""
    assert PAGE.read_text() == reference()


def test_every_command_has_its_help_and_its_json_on_the_page() -> None:
    page = reference()
    for name in COMMANDS:
        assert f"## otel-mas {name}\n" in page
        assert name in WITHOUT_JSON or f"`otel-mas {name} --json` prints a" in page
