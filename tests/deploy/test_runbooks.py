"""Pages of deploy/runbooks: one for each alert, whose commands are run on recorded data of that very failure."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.alert.rules_file import Rules
from otel_mas.cli import cli
from tests.deploy.failures import FAILURES, record

RUNBOOKS = Path(__file__).resolve().parents[2] / "deploy" / "runbooks"
SHOWN = re.compile(r"^\$ (otel-mas .*?) *#", re.MULTILINE)
INLINE = re.compile(r"`(otel-mas [^`]*)`")
HEALTH_CODES = {5, 6, 7}  # degraded, unhealthy, unknown: the answer, not a failure
# None of these can be had in a test: a full disk, and a queue that overflows.
NOT_NAMED = {"SpansDropped", "DiskNearlyFull"}


def text(name: str) -> str:
    return (RUNBOOKS / f"{name}.md").read_text()


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    alerts = {rule.name for rule in Rules.built_in().rules} | {"ErrorBudget"}
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == alerts
    assert set(FAILURES) == alerts


@pytest.mark.parametrize("name", sorted(FAILURES))
def test_the_commands_of_a_page_find_the_culprit(name: str, recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_STORE", str(recorded))
    commands = SHOWN.findall(text(name))
    assert len(commands) >= 2
    with record[name]() as failure:
        assert otel_mas.flush(30)
        printed = ""
        for command in commands:
            words = [failure.stands_for.get(word, word) for word in shlex.split(command)[1:]]
            words = ["latest" if word == "TRACE" else word for word in words]
            done = CliRunner().invoke(cli, words)
            assert done.exit_code in ({0} | HEALTH_CODES if words[0] == "health" else {0}), f"{command}\n{done.output}"
            printed += done.output
    assert name in NOT_NAMED or failure.culprit in printed, printed


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_every_command_and_link_of_a_page_exists(path: Path) -> None:
    page = path.read_text()
    for command in [*SHOWN.findall(page), *INLINE.findall(page)]:
        check(shlex.split(command)[1:], command)
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page):
        assert link.startswith("http") or (RUNBOOKS / link).exists(), link


def check(words: list[str], command: str) -> None:
    """Fail where a command or an option is unknown."""
    found: click.Command = cli
    context = click.Context(cli, info_name="otel-mas")
    while isinstance(found, click.Group) and words:
        inner = found.get_command(context, words[0])
        assert inner is not None, command
        found, words = inner, words[1:]
        context = click.Context(found, info_name=found.name, parent=context)
    options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options, command
