"""The example team (`examples/research_team`), with its scripted model server in this process, paused and approved.

`python -m tests.accuracy.topologies.team` writes down what it answers when nothing goes wrong.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from openai import DefaultHttpxClient

from examples.model_server import ModelServer
from examples.research_team import archive
from examples.research_team.models import Models
from examples.research_team.team import build_team
from tests.accuracy.topologies.app import App
from tests.accuracy.topologies.desk import make_desk

_QUESTIONS = (
    "Should Elmstead reopen its tram line?",
    "What would the tram bridge over the Elm cost?",
    "Would passengers leave the bus line for a tram?",
    "Who fears the noise of a tram at night?",
)


_ANSWERS = Path(__file__).with_name("team_answers.json")


@cache
def _server() -> ModelServer:
    return ModelServer(pace=0).__enter__()  # its thread ends with the process


@cache
def _client() -> DefaultHttpxClient:
    return DefaultHttpxClient(trust_env=False)


@cache
def _answers() -> dict[str, str]:
    return dict(json.loads(_ANSWERS.read_text())) if _ANSWERS.exists() else {}


def build(seed: int = 0, *, clean: bool = False) -> App:
    archive.ARCHIVE_SECONDS = archive.REGISTER_SECONDS = 0
    question = _QUESTIONS[seed % len(_QUESTIONS)]
    team = build_team(Models(url=_server().url, http_client=_client()), InMemorySaver())
    desk = make_desk()

    def answer(result: Any) -> str:
        text = f"{result.get('headline')}\n\n{result.get('report')}"
        if clean:
            desk.invoke({"answer": text})
        return text

    return App(
        name="team",
        graph=team,
        given={"question": question, "messages": [HumanMessage(question)]},
        answer=answer,
        expected=_answers().get(question, ""),
        agents=("researcher", "writer"),
        tools={"search_archive": "researcher", "look_up_figures": "researcher"},
        edges=(("researcher", "writer"),),
        lists=(("researcher", "writer"),),
        fields=(("publish", "report"), ("relevance", "question")),
        then=(Command(resume="approve"),),
        config={"configurable": {"thread_id": f"team-{seed}"}},
    )


if __name__ == "__main__":
    found = {question: build(number).run() for number, question in enumerate(_QUESTIONS)}
    _ANSWERS.write_text(json.dumps(found, indent=1) + "\n")
