"""Blocks of docs/testing.md run in the example project, and its commands exist."""

from __future__ import annotations

import re
import shlex
import shutil
import textwrap
from pathlib import Path

import click
import pytest

from otel_mas.cli import cli

pytest_plugins = ("pytester",)

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "testing.md").read_text()
BLOCKS = [
    (kind, textwrap.dedent(text))
    for kind, text in re.findall(r"^ *```(\w+)\n(.*?)^ *```", PAGE, re.DOTALL | re.MULTILINE)
]
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines() if line.strip()]


@pytest.mark.slow
def test_every_python_block_is_a_test_that_passes(pytester: pytest.Pytester) -> None:
    shutil.copytree(REPOSITORY / "examples" / "ci", pytester.path, dirs_exist_ok=True)
    (pytester.path / "test_report_team.py").unlink()
    blocks = [text for kind, text in BLOCKS if kind == "python"]
    for number, text in enumerate(blocks):
        (pytester.path / f"test_block_{number}.py").write_text(text)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:langsmith_plugin")

    result.assert_outcomes(passed=len(blocks))
    assert len(blocks) == 3


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_parses(line: str, pytestconfig: pytest.Config) -> None:
    program, *arguments = shlex.split(line)
    if program == "pytest":
        for option in arguments:
            assert pytestconfig.getoption(option) is not None
        return
    above = click.Context(cli, info_name=program, **cli.context_settings)
    command = cli.get_command(above, arguments[0])
    assert command is not None
    command.make_context(arguments[0], arguments[1:], parent=above)


def test_every_file_that_the_page_links_to_exists() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", PAGE)

    assert [one for one in targets if not (REPOSITORY / "docs" / one).exists()] == []
