"""Options of `otel-mas replay` in real processes, for apps with and without LangChain."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # two processes for each run

REPOSITORY = Path(__file__).resolve().parents[3]
OTEL_MAS = str(Path(sys.executable).with_name("otel-mas"))
MARKED = """
import random, time, uuid
import otel_mas

@otel_mas.tool
def lookup(word):
    print("lookup ran", flush=True)
    time.sleep(0.4)
    return random.random()

@otel_mas.retrieval
def search(word):
    print("search ran", flush=True)
    return [word, random.random()]

@otel_mas.agent
def clerk(word):
    return lookup(word), search(word)

began = time.monotonic()
print("found", *clerk("trams"))
print("took", time.monotonic() - began)
"""
FROZEN = """
import random, time, uuid
from langchain_core.language_models.fake_chat_models import FakeListChatModel

print(FakeListChatModel(responses=[str(random.random())]).invoke("x").content, time.time(), uuid.uuid4())
"""
RAW = """
import sys
import openai
from otel_mas.instrumentation.marks import workflow

with workflow("job"):
    pass
if len(sys.argv) > 1:
    try:
        openai.OpenAI(max_retries=0).chat.completions.create(model="gpt-4o-mini", messages=[])
    except Exception as error:
        print("caught")
"""


def called(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


class App:
    """An app that is recorded into a store of its own."""

    def __init__(self, folder: Path, code: str) -> None:
        self._file = folder / "app.py"
        self._file.write_text(code)
        self._folder = folder
        self.recorded = called(OTEL_MAS, "run", "--store", str(folder / "runs.db"), *self._command())
        assert self.recorded.returncode == 0, self.recorded.stderr

    def replay(self, *options: str, given: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        stores = ("--from", str(self._folder / "runs.db"), "--store", str(self._folder / "again.db"))
        return called(OTEL_MAS, "replay", "latest", *stores, *options, *self._command(*given))

    def _command(self, *given: str) -> tuple[str, ...]:
        return ("--", sys.executable, str(self._file), *given)


def lines(ended: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert ended.returncode == 0, ended.stderr
    return dict(line.split(" ", 1) for line in ended.stdout.splitlines())


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> App:
    return App(tmp_path_factory.mktemp("marked"), MARKED)


def test_marked_functions_of_an_app_without_langchain_are_answered(marked: App) -> None:
    again = marked.replay()
    assert lines(again)["found"] == lines(marked.recorded)["found"]
    assert "ran" not in again.stdout
    assert "2 answered, 0 live, 0 missed" in again.stderr


def test_live_tools_run_and_nothing_else_does(marked: App) -> None:
    again = marked.replay("--live", "tools")
    assert "lookup ran" in again.stdout
    assert "search ran" not in again.stdout
    assert lines(again)["found"].split(" [")[1] == lines(marked.recorded)["found"].split(" [")[1]
    assert "1 answered, 1 live, 0 missed" in again.stderr


def test_a_live_agent_runs_with_all_that_it_calls(marked: App) -> None:
    again = marked.replay("--live", "clerk")
    assert "lookup ran" in again.stdout
    assert "search ran" in again.stdout
    assert "0 answered, 2 live, 0 missed" in again.stderr


def test_timing_has_answers_take_as_long_as_they_took(marked: App) -> None:
    assert float(lines(marked.replay("--timing"))["took"]) >= 0.4
    # One of several: on a busy machine any may take long, but none takes less where the answers wait.
    assert any(float(lines(marked.replay())["took"]) < 0.4 for _ in range(10))


def test_freeze_gives_the_same_clock_numbers_and_ids_in_each_replay(tmp_path: Path) -> None:
    pytest.importorskip("time_machine")
    app = App(tmp_path, FROZEN)
    first, second = (app.replay("--freeze").stdout.split() for _ in range(2))
    answer, now, _ = app.recorded.stdout.split()
    assert first == second
    assert first[0] == answer
    assert abs(float(first[1]) - float(now)) < 60


def test_request_of_another_client_is_a_miss_and_the_command_fails(tmp_path: Path) -> None:
    again = App(tmp_path, RAW).replay(given=("ask",))
    assert again.stdout == "caught\n"
    assert "https://api.openai.com/v1/chat/completions" in again.stderr
    assert again.returncode == 1
