"""Commands and code that the README shows exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

import otel_mas
from otel_mas.cli import cli

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
SHELL = [line.split("  #")[0] for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("otel-mas ")])
def test_every_command_parses_with_its_options(line: str) -> None:
    name, *arguments = shlex.split(line)[1:]
    # A command remembers its help option from the first context that it sees: it is to be the real one.
    above = click.Context(cli, info_name="otel-mas", **cli.context_settings)
    command = cli.get_command(above, name)
    assert command is not None
    command.make_context(name, arguments, parent=above)


@pytest.mark.parametrize("line", [line for line in SHELL if line.startswith("make ")])
def test_every_make_target_exists(line: str) -> None:
    assert re.search(rf"^{line.split()[1]}:", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert [target for target in targets if "://" not in target and not (REPOSITORY / target).exists()] == []


def test_every_python_block_compiles_and_names_what_is_offered() -> None:
    for kind, text in BLOCKS:
        if kind == "python":
            compile(text, "README.md", "exec")
            for name in re.findall(r"otel_mas\.(\w+)", text):
                assert hasattr(otel_mas, name)


def test_options_named_beside_commands_exist() -> None:
    help_page = (REPOSITORY / "docs" / "cli.md").read_text()
    assert [option for option in re.findall(r"--[a-z-]+", " ".join(SHELL)) if option not in help_page] == []


def test_every_file_named_in_the_architecture_exists() -> None:
    page = (REPOSITORY / "docs" / "architecture.md").read_text()
    named = re.findall(r"`([a-z_/]+(?:\.py|/sql|/terminal|/html|/svg|/frame))`", page)
    assert len(named) > 20
    assert [name for name in named if not any((REPOSITORY / base / name).exists() for base in (".", "otel_mas"))] == []
