"""Decision models of LangChain are answered from the recording."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.errors import ReplayMiss

pytest.importorskip("langchain_core.decisions", reason="decision models come with LangChain Core 1.8")

from langchain_core.decisions import (
    BaseDecisionModel,
    Choice,
    ChoiceAnswer,
    ClassifierResponse,
    Noul,
    NoulAnswer,
)
from langchain_core.messages import HumanMessage

asked: list[Any] = []
TEAM = Choice(instructions="Whose is it?", criteria={"billing": "Money.", "technical": "Bugs."})


class Decides(BaseDecisionModel):
    model: str = "gpt-4o"

    @property
    def _provider(self) -> str:
        return "openai"

    def _classify(self, state: Any, questions: dict[str, Any]) -> ClassifierResponse:
        asked.append(state)
        if state == "break":
            raise ConnectionError("no answer")
        label = "technical" if "bug" in str(state) else "billing"
        team = ChoiceAnswer(type="choice", choice=label, probabilities={label: 0.75}, confidence=0.75)
        usage = {"input_tokens": 31, "output_tokens": 7, "total_tokens": 38}
        found = {"team": team, "sure": NoulAnswer(type="noul", noul=0.25)}
        answers = {name: found[name] for name in questions}
        return ClassifierResponse(model="gpt-4o-2024-08-06", usage=usage, request_id="r", answers=answers)  # type: ignore[arg-type]


def questions(*names: str) -> dict[str, Any]:
    every = {"team": TEAM, "sure": Noul(instructions="Are you sure?")}
    return {name: every[name] for name in names}


def app() -> list[Any]:
    found: list[Any] = [
        Decides().invoke({"state": "a bug", "questions": questions("team", "sure")}),
        asyncio.run(Decides().ainvoke({"state": [HumanMessage("an invoice")], "questions": questions("team")})),
        Decides().invoke({"state": {"text": "an invoice"}, "questions": questions("team")}),
        Decides().invoke({"state": {"text": "an invoice"}, "questions": questions("sure")}),
    ]
    try:
        Decides().invoke({"state": "break", "questions": questions("sure")})
    except ConnectionError as error:
        found.append(str(error))
    return found


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("OTEL_MAS_STORE", str(tmp_path / "store.db"))
    otel_mas.instrument()
    with otel_mas.workflow("desk"):
        said = app()
    otel_mas.flush()
    asked.clear()
    yield said
    otel_mas.shutdown()


def test_decisions_are_what_they_were_and_no_model_is_asked(recorded: Any) -> None:
    with otel_mas.replay("latest") as session, otel_mas.workflow("desk"):
        assert app() == recorded
    assert asked == []
    assert (session.answered, session.saved_tokens) == (5, 4 * 38)


def test_answered_decisions_are_linked_to_what_they_repeat_and_cost_nothing(recorded: Any) -> None:
    with otel_mas.replay("latest"), otel_mas.workflow("desk"):
        app()
    otel_mas.flush()
    with otel_mas.open() as source:
        replayed = source.latest()
        calls = [span for span in replayed.spans if span.record_kind == "LLM_CALL"]
    assert [span.get("mas.replay.outcome") for span in calls] == ["answered"] * 5
    assert all([link.kind for link in span.links] == ["replay"] for span in calls)
    assert [span.get("mas.cost.simulated") for span in calls[:4]] == [True] * 4


def test_another_question_is_a_miss(recorded: Any) -> None:
    with pytest.raises(ReplayMiss, match="now 'a bug'"), otel_mas.replay("latest"), otel_mas.workflow("desk"):
        Decides().invoke({"state": "a bug", "questions": questions("sure")})
    assert asked == []


def test_live_models_decide(recorded: Any) -> None:
    with otel_mas.replay("latest", live="models"), otel_mas.workflow("desk"):
        app()
    assert len(asked) == 5


def test_changed_decision_is_what_the_app_gets(recorded: Any) -> None:
    other = {"team": ChoiceAnswer(type="choice", choice="billing", probabilities={}, confidence=0.5)}
    with otel_mas.replay("latest", stub=lambda call: NotImplemented) as session, otel_mas.workflow("desk"):
        session.change("model#1", output=other)
        found = Decides().invoke({"state": "a bug", "questions": questions("team", "sure")})
    assert found.choices["team"].choice == "billing"
