"""The example team by itself: what it does, says and keeps."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from openai import DefaultHttpxClient

from examples.model_server import ModelServer
from examples.research_team import archive
from examples.research_team.__main__ import QUESTION, main
from examples.research_team.models import Models
from examples.research_team.team import build_team
from tests.example_team import THREAD, ExampleTeam

ROOT = Path(__file__).resolve().parents[2]
HEADINGS = ["Where it stands", "What it costs", "Who it serves", "What could go wrong"]


@pytest.fixture
def models(server: ModelServer) -> Iterator[Models]:
    with DefaultHttpxClient() as direct:
        yield Models(server.url, http_client=direct)


@pytest.fixture
def team(models: Models) -> Any:
    return build_team(models, InMemorySaver())


@pytest.fixture(autouse=True)
def _quick_lookups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ARCHIVE_SECONDS", 0)
    monkeypatch.setattr(archive, "REGISTER_SECONDS", 0)


def ask(team: Any, question: str = QUESTION) -> tuple[dict[str, Any], dict[str, Any]]:
    config = {"configurable": {"thread_id": "t"}}
    return config, team.invoke({"question": question, "messages": [HumanMessage(question)]}, config)


def test_the_researcher_calls_both_tools_in_one_turn(team: Any) -> None:
    _, state = ask(team)
    turns = [message for message in state["messages"] if isinstance(message, AIMessage) and message.tool_calls]
    assert [[call["name"] for call in turn.tool_calls] for turn in turns] == [["search_archive", "look_up_figures"]]
    answers = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    assert [answer.name for answer in answers] == ["search_archive", "look_up_figures"]
    assert "closed Elmstead's tram line in 1962" in answers[0].text
    assert "length 4.2 km" in answers[1].text


def test_every_section_is_written_and_joined_in_the_order_of_the_outline(team: Any) -> None:
    _, state = ask(team)
    assert [line[3:] for line in state["report"].splitlines() if line.startswith("## ")] == HEADINGS
    sections = state["report"].split("## ")[1:]
    assert len({len(section) // 50 for section in sections}) > 2, "the sections are of uneven length"


def test_it_stops_for_approval_and_publishes_once_approved(team: Any) -> None:
    config, paused = ask(team)
    assert [interrupt.value for interrupt in paused["__interrupt__"]] == [
        {"ask": "Publish this report?", "report": paused["report"]}
    ]
    assert "headline" not in paused
    done = team.invoke(Command(resume="approve"), config)
    assert done["headline"].startswith(QUESTION)
    assert done["report"] == paused["report"]
    assert team.get_state(config).next == ()


def test_a_wish_sends_the_report_back_to_the_writer_and_asks_again(team: Any) -> None:
    config, paused = ask(team)
    again = team.invoke(Command(resume="say more about the bridge"), config)
    assert again["report"] != paused["report"]
    assert "say more about the bridge" in again["report"]
    assert again["__interrupt__"][0].value["report"] == again["report"]


def test_what_does_not_bear_on_the_question_is_not_written_up(team: Any) -> None:
    question = "How do I bake bread?"
    state = team.invoke(
        {"question": question, "messages": [HumanMessage(question)]}, {"configurable": {"thread_id": 1}}
    )
    assert (state["relevant"], state["reason"]) == ("no", "Nothing that was found bears on the question.")
    assert "report" not in state


def test_nobodys_address_is_looked_up(team: Any) -> None:
    question = "Why does ann@example.org want the tram line?"
    state = team.invoke(
        {"question": question, "messages": [HumanMessage(question)]}, {"configurable": {"thread_id": 1}}
    )
    assert state["messages"][-1].text == "I look into public matters only."
    assert not [message for message in state["messages"] if isinstance(message, ToolMessage)]


def test_two_teams_end_in_the_same_state(models: Models) -> None:
    states = []
    for _ in range(2):
        team = build_team(models, InMemorySaver())
        config, _paused = ask(team)
        state = team.invoke(Command(resume="approve"), config)
        messages = [(type(message), message.name, message.content) for message in state.pop("messages")]
        states.append((messages, state))
    assert states[0] == states[1]


def test_another_seed_says_it_differently(models: Models) -> None:
    reports = {ask(build_team(replace(models, seed=seed), InMemorySaver()))[1]["report"] for seed in (1, 2, 3, 4)}
    assert len(reports) > 1


def test_the_supervisor_has_the_larger_model(models: Models) -> None:
    assert (models.large().model_name, models.small().model_name) == ("gpt-4o", "gpt-4o-mini")


def command_line(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "examples.research_team", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_second_process_resumes_and_prints_the_same_each_time(
    server: ModelServer, tmp_path: Path, example_team: ExampleTeam
) -> None:
    # A proxy that is not there: the app must not need it to reach a server on this machine.
    environment = {**os.environ, "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    common = ["--thread", THREAD, "--db", str(tmp_path / "one.sqlite"), "--model-url", server.url]
    asked = command_line(QUESTION, *common, environment=environment)
    resumed = command_line(*common, "--resume", "approve", environment=environment)
    assert asked.returncode == 0, asked.stderr
    assert resumed.returncode == 0, resumed.stderr
    assert [asked.stdout, resumed.stdout] == [invocation.stdout for invocation in example_team.bare]
    assert asked.stdout.splitlines()[:8] == [
        f"Question: {QUESTION}",
        "supervisor: researcher is next. Nobody has looked into it yet.",
        "researcher: done",
        "relevance: yes. 12 facts bear on the question.",
        "supervisor: writer is next. We have heard from researcher.",
        "writer: done",
        "supervisor: approval is next. We have heard from researcher and writer.",
        "approval: waiting for a human",
    ]
    assert resumed.stdout.splitlines()[:3] == ["Decision: approve", "approval: done", "publish: done"]
    assert f"Published: {QUESTION}" in resumed.stdout


def test_without_a_server_it_starts_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--db", str(tmp_path / "checkpoints.sqlite")]) == 0
    assert "Publish this report?" in capsys.readouterr().out


def test_a_thread_that_waits_for_nobody_cannot_be_resumed(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(
        ["--db", str(tmp_path / "c.sqlite"), "--model-url", server.url, "--thread", "x", "--resume", "approve"]
    )
    assert status == 1
    assert capsys.readouterr().err == "Nobody waits for a decision in thread 'x'.\n"


def test_a_used_thread_takes_no_new_question(
    server: ModelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--db", str(tmp_path / "c.sqlite"), "--model-url", server.url]
    assert main(common) == 0
    assert main(common) == 1
    assert "Thread '1' has been used" in capsys.readouterr().err


def test_live_without_a_key_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--live"])
    assert stopped.value.code == 2
    assert "--live needs OPENAI_API_KEY" in capsys.readouterr().err


def test_live_models_are_those_of_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-used")
    model = Models().large()
    assert str(model.root_client.base_url) == "https://api.openai.com/v1/"
    assert model.root_client.api_key == "sk-not-used"


@pytest.mark.parametrize("folder", ["research_team", "model_server"])
def test_the_app_knows_nothing_of_who_records_it(folder: str) -> None:
    files = list((ROOT / "examples" / folder).glob("**/*.py"))
    assert files
    assert [path.name for path in files if "otel" in path.read_text().lower()] == []
    assert [path.name for path in files if "opentelemetry" in path.read_text().lower()] == []
