"""What is mined from many runs is the same from the store, an archive of it, records, and a Jaeger it was sent to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.api import Source
from otel_mas.cli import cli
from tests.answers.answers import listed
from tests.answers.conftest import PLACES, RUNS, Recorded

MINED: Mapping[str, Callable[[Source, dict[str, Any]], Any]] = {
    "topology": lambda source, which: source.topology(**which),
    "variants": lambda source, which: source.variants(**which),
    "rare-paths": lambda source, which: source.rare_paths(**which),
    "hot-spots": lambda source, which: source.hot_spots(**which),
}
"""By the name of the command that prints it."""


def mined(question: str, run: Recorded, place: str) -> Any:
    with otel_mas.open(run.places[place]) as source:
        answer = MINED[question](source, {"conversation": run.thread, "service": run.service})
    return {**listed(answer), "nodes": listed(answer.nodes)} if question == "topology" else listed(answer)


@pytest.mark.parametrize("place", PLACES[1:])
@pytest.mark.parametrize("question", MINED)
def test_the_answer_is_the_same_from_every_place(question: str, place: str, recorded: dict[str, Recorded]) -> None:
    for run in RUNS:
        assert mined(question, recorded[run], place) == mined(question, recorded[run], "store"), run


@pytest.mark.parametrize("question", MINED)
def test_the_command_prints_what_the_handle_answers(question: str, recorded: dict[str, Recorded]) -> None:
    run = recorded["example team"]
    words = ["query", question, *run.words("store")]

    printed = CliRunner().invoke(cli, [*words, "--json"])
    text = CliRunner().invoke(cli, words)

    assert printed.exit_code == text.exit_code == 0, printed.output
    expected = mined(question, run, "store")
    nodes = {"nodes": expected.pop("nodes")["nodes"]} if question == "topology" else {}
    assert json.loads(printed.stdout) == json.loads(json.dumps({**expected, **nodes}))
    assert text.stdout.strip()
