"""`otel-mas show` of a span or a task."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli


def show(store: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["show", "--store", str(store), *words])


def test_a_task_is_shown_with_its_causes_and_what_it_asked(store: Path, team: ModuleType) -> None:
    done = show(store, "approve#1", "--trace", team.FIRST)
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        "task approve · approve#1 · AGENT_TASK · 2026-11-21 10:00:05 · 685 ms · paused for input"
    )
    assert "caused by" in lines
    assert any(line.startswith("  trigger: collect#1") for line in lines)
    assert lines[lines.index("mas.interrupt.values") + 1] == "  Publish this?"


def test_a_task_that_paused_is_shown_for_each_time_that_it_ran(store: Path, team: ModuleType) -> None:
    done = show(store, "approve", "--conversation", team.THREAD, "--json")
    first, second = json.loads(done.stdout)["spans"]
    assert (first["task"], second["task"]) == ("approve#1", "approve#1")
    assert [(cause["kind"], cause["label"]) for cause in second["causes"]] == [
        ("trigger", "collect#1"),
        ("resume", "approve#1"),
    ]
    assert [effect["span_id"] for effect in first["effects"]] == [second["span_id"]]


def test_a_span_is_shown_by_the_beginning_of_its_id_as_well(store: Path, team: ModuleType) -> None:
    chat = next(span for span in team.research_traces()[0].spans if span.name.startswith("chat"))
    done = show(store, chat.span_id[:-1], "--trace", team.FIRST)
    assert done.exit_code == 4  # several begin like this
    whole = json.loads(show(store, chat.span_id, "--trace", team.FIRST, "--json").stdout)["spans"][0]
    assert (whole["span_id"], whole["task"]) == (chat.span_id, "supervisor#1")
    assert [(one["role"], one["text"]) for one in whole["read"]] == [("user", "Tides?")]
    assert [(one["role"], one["text"]) for one in whole["wrote"]] == [("assistant", None)]
    text = show(store, chat.span_id, "--trace", team.FIRST).stdout
    assert "412→18 tokens  $0.000073" in text
    assert "  user: Tides?" in text
    assert "  assistant: (content not kept)" in text


def test_without_a_span_it_is_the_tree_as_before(store: Path, team: ModuleType) -> None:
    for words in ([], ["latest"], [team.FIRST], [team.FIRST[:8]], ["--conversation", team.THREAD]):
        assert "invoke_workflow research_team" in show(store, *words).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["suprvisor#1", "--trace", "4bf92f35"], "did you mean supervisor#1?"),
        (["nobody"], "no span and no task 'nobody' in trace 5c0a83be"),
        (["abcdef"], "no trace abcdef in "),
        (["--trace", "4bf92f35"], "name a span or a task too"),
        (["plan", "--trace", "4bf92f35", "--conversation", "demo-1"], "Give either TRACE or --conversation"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_what_is(store: Path, words: list[str], message: str) -> None:
    done = show(store, *words)
    assert done.exit_code in (2, 4)
    assert message in done.stderr
