"""Every answer about every run is the same from the store, an archive of it, and a Jaeger that it was sent to."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.cli import cli
from tests.answers.answers import ANSWERS, LACKING, comparable
from tests.answers.conftest import PLACES, RUNS, Recorded


def answered(answer: str, run: Recorded, place: str) -> object:
    with otel_mas.open(run.places[place]) as source:
        return comparable(ANSWERS[answer].ask(source.conversation(run.thread, run.service)))


@pytest.mark.parametrize("place", PLACES[1:])
@pytest.mark.parametrize("answer", ANSWERS)
def test_the_answer_is_the_same_from_every_place(answer: str, place: str, recorded: dict[str, Recorded]) -> None:
    same = [answered(answer, recorded[run], place) == answered(answer, recorded[run], "store") for run in RUNS]

    if (answer, place) in LACKING:
        assert not all(same), "the difference is gone: remove it from LACKING"
    else:
        for run in RUNS:
            assert answered(answer, recorded[run], place) == answered(answer, recorded[run], "store"), run


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("answer", [name for name, answer in ANSWERS.items() if answer.command is not None])
def test_the_command_prints_what_the_handle_answers(answer: str, run: str, recorded: dict[str, Recorded]) -> None:
    words = [*(ANSWERS[answer].command or ()), *recorded[run].words("store")]

    printed = CliRunner().invoke(cli, [*words, "--json"])
    text = CliRunner().invoke(cli, words)

    assert printed.exit_code == 0, printed.output
    lines = printed.stdout.splitlines()
    document = [json.loads(line) for line in lines] if ANSWERS[answer].lines else json.loads(printed.stdout)
    assert comparable(document) == json.loads(json.dumps(answered(answer, recorded[run], "store")))
    assert text.exit_code == 0
    assert text.stdout.strip()
