"""Decision models (`langchain_core.decisions`): their calls, and the decisions that follow from their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypedDict

import pytest
from langgraph.graph import START, StateGraph
from langgraph.types import Command

from tests.accuracy.explained import Recorded, saying

pytest.importorskip("langchain_core.decisions", reason="decision models come with LangChain Core 1.8")

from langchain_core.decisions import (
    BaseDecisionModel,
    Box,
    Choice,
    ChoiceAnswer,
    ClassifierResponse,
    Noul,
    NoulAnswer,
    Score,
    ScoreAnswer,
)
from langchain_core.messages import AIMessage, HumanMessage

TEAMS = Choice(instructions="Whose is it?", criteria={"billing": "Money.", "technical": "Bugs."})


class Decides(BaseDecisionModel):
    """Answers by the first label that the question has, with the same confidence each time."""

    model: str = "gpt-4o"
    confidence: float = 0.8125
    fails: bool = False

    @property
    def _provider(self) -> str:
        return "openai"

    def _classify(self, state: Any, questions: dict[str, Any]) -> ClassifierResponse:
        if self.fails:
            raise ConnectionError("no answer")
        return ClassifierResponse(
            model="gpt-4o-2024-08-06",
            usage={"input_tokens": 31, "output_tokens": 7, "total_tokens": 38},
            request_id="req-1",
            answers={name: self._answer(question) for name, question in questions.items()},
        )

    def _answer(self, question: Any) -> Any:
        if isinstance(question, Noul):
            return NoulAnswer(type="noul", noul=0.25)
        if isinstance(question, Score):
            return ScoreAnswer(type="score", score=1.5, legend={}, probabilities={}, confidence=0.5)
        label = next(iter(question.criteria))
        return ChoiceAnswer(
            type="choice", choice=label, probabilities={label: self.confidence}, confidence=self.confidence
        )


class State(TypedDict, total=False):
    text: str


def desk(triage: Any) -> Any:
    graph = StateGraph(State)
    for name in ("billing", "technical"):
        graph.add_node(name, lambda state: {"text": "done"})
    graph.add_node("triage", triage)
    graph.add_edge(START, "triage")
    return graph.compile(name="desk")


@pytest.fixture
def look(recorded: Path) -> Callable[[], Recorded]:
    return lambda: Recorded(recorded)


def test_the_call_of_a_decision_model_is_a_model_call_with_tokens_and_cost(look: Callable[[], Recorded]) -> None:
    response = Decides().invoke({"state": "My invoice is wrong.", "questions": {"team": TEAMS}})
    assert response.choices["team"].choice == "billing"
    (call,) = look().kind("LLM_CALL")
    assert call.name == "chat gpt-4o"
    assert call.get("gen_ai.provider.name") == "openai"
    assert call.get("gen_ai.response.model") == "gpt-4o-2024-08-06"
    assert call.get("gen_ai.response.id") == "req-1"
    assert (call.get("gen_ai.usage.input_tokens"), call.get("gen_ai.usage.output_tokens")) == (31, 7)
    assert call.get("mas.cost.usd") == pytest.approx((31 * 2.5 + 7 * 10) / 1e6)


def test_a_command_that_goes_where_the_model_chose_has_its_candidates_and_confidence(
    look: Callable[[], Recorded],
) -> None:
    def triage(state: State) -> Command[Literal["billing", "technical"]]:
        mood = Choice(instructions="How are they?", criteria={"calm": None, "angry": None})
        answers = Decides().invoke({"state": "My invoice is wrong.", "questions": {"team": TEAMS, "mood": mood}})
        return Command(goto=answers.choices["team"].choice)  # type: ignore[arg-type]

    desk(triage).invoke({})
    (route,) = look().kind("ROUTING_DECISION")
    assert route.get("mas.routing.choice") == ("billing",)
    assert sorted(route.get("mas.routing.candidates") or ()) == ["billing", "technical"]
    assert route.get("mas.routing.confidence") == 0.8125


async def test_a_conditional_edge_asks_asynchronously(look: Callable[[], Recorded]) -> None:
    async def which(state: State) -> str:
        answers = await Decides(confidence=0.75).ainvoke(
            {"state": [HumanMessage("Help!")], "questions": {"team": TEAMS}}
        )
        return str(answers.choices["team"].choice)

    graph = StateGraph(State)
    graph.add_node("read", lambda state: {"text": "read"})
    for name in ("billing", "technical"):
        graph.add_node(name, lambda state: {"text": "done"})
    graph.add_edge(START, "read")
    graph.add_conditional_edges("read", which, ["billing", "technical"])
    await graph.compile(name="desk").ainvoke({})
    found = look()
    (route,) = found.kind("ROUTING_DECISION")
    assert (route.get("mas.routing.function"), route.get("mas.routing.confidence")) == ("which", 0.75)
    assert len(found.kind("LLM_CALL")) == 1


def test_a_choice_that_leads_elsewhere_says_nothing_of_the_decision(look: Callable[[], Recorded]) -> None:
    def triage(state: State) -> Command[Literal["billing", "technical"]]:
        Decides().invoke({"state": "My invoice is wrong.", "questions": {"team": TEAMS}})
        return Command(goto="technical")

    desk(triage).invoke({})
    (route,) = look().kind("ROUTING_DECISION")
    assert route.get("mas.routing.choice") == ("technical",)
    assert route.get("mas.routing.confidence") is None


def test_probabilities_and_scores_are_evaluations(look: Callable[[], Recorded]) -> None:
    questions = {
        "urgent": Noul(instructions="Is it urgent?"),
        "anger": Score(instructions="How angry?", criteria=["calm", "cross", "furious"]),
    }
    Decides().invoke({"state": "Help!", "questions": questions})
    found = look()
    grades = {
        one.get("gen_ai.evaluation.name"): one.get("gen_ai.evaluation.score.value") for one in found.kind("EVALUATION")
    }
    assert grades == {"urgent": 0.25, "anger": 1.5}
    assert {one.parent_span_id for one in found.kind("EVALUATION")} == {found.kind("LLM_CALL")[0].span_id}


def test_a_decision_model_that_fails_is_an_error_and_the_app_gets_it(look: Callable[[], Recorded]) -> None:
    with pytest.raises(ConnectionError, match="no answer"):
        Decides(fails=True).invoke({"state": "Help!", "questions": {"team": TEAMS}})
    (call,) = look().kind("LLM_CALL")
    assert call.status.name == "ERROR"


def test_a_cancelled_call_ends(look: Callable[[], Recorded]) -> None:
    class Slow(Decides):
        async def _aclassify(self, state: Any, questions: Any) -> Any:
            await asyncio.sleep(60)

    async def cancelled() -> None:
        await asyncio.wait_for(Slow().ainvoke({"state": "Help!", "questions": {"team": TEAMS}}), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())
    (call,) = look().kind("LLM_CALL")
    assert call.status.name != "ERROR"


def test_a_model_router_chooses_a_model_with_a_confidence(look: Callable[[], Recorded]) -> None:
    from langchain.agents import create_agent
    from langchain.agents.middleware import ModelChoice, ModelRouterMiddleware

    router = ModelRouterMiddleware(
        choices={
            "fast": ModelChoice(model=saying(AIMessage("4.2 km")), criteria="Simple tasks."),
            "powerful": ModelChoice(model=saying(AIMessage("Let me think.")), criteria="All others."),
        },
        instructions="Choose the cheapest that will do.",
        classifier=Decides(),
    )
    agent = create_agent(saying(AIMessage("nobody asks me")), middleware=[router])
    answer = agent.invoke({"messages": [HumanMessage("how long is the tram line?")]})
    assert answer["messages"][-1].content == "4.2 km"
    found = look()
    (route,) = found.kind("ROUTING_DECISION")
    assert route.get("mas.routing.function") == "ModelRouterMiddleware"
    assert route.get("mas.routing.choice") == ("fast",)
    assert route.get("mas.routing.candidates") == ("fast", "powerful")
    assert route.get("mas.routing.confidence") == 0.8125
    assert len(found.kind("LLM_CALL")) == 2


def test_a_box_is_an_answer_and_no_decision(look: Callable[[], Recorded]) -> None:
    class Looks(Decides):
        def _answer(self, question: Any) -> Any:
            return {"type": "box", "box": {"top": 0, "bottom": 1, "left": 0, "right": 1}}

    Looks().invoke({"state": "an image", "questions": {"cat": Box(instructions="The cat.")}})
    found = look()
    assert len(found.kind("LLM_CALL")) == 1
    assert found.kind("EVALUATION") == found.kind("ROUTING_DECISION") == []
