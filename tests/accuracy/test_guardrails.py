"""Guardrails of agents, as `create_agent` has them in its middleware: which checks are told, and with what verdict.

None of the apps below has a word of otel-mas in it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from tests.accuracy.explained import Recorded, saying
from tests.accuracy.features import WITHOUT_CREATE_AGENT

pytest.importorskip("langchain", reason=WITHOUT_CREATE_AGENT)

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelCallLimitMiddleware,
    PIIMiddleware,
    after_model,
    before_agent,
    before_model,
    hook_config,
)


@pytest.fixture
def look(recorded: Path) -> Callable[[], Recorded]:
    return lambda: Recorded(recorded)


def ask(agent: Any, text: str = "hello") -> Any:
    return agent.invoke({"messages": [HumanMessage(text)]})


@before_agent(can_jump_to=["end"])
def only_trams(state: Any, runtime: Any) -> Any:
    if "tram" in state["messages"][-1].text:
        return None
    return {"messages": [AIMessage("I only talk about trams.")], "jump_to": "end"}


class Polite(AgentMiddleware[Any, Any]):
    """As in LangChain's guide to guardrails: a check after the agent."""

    @hook_config(can_jump_to=["end"])
    def after_agent(self, state: Any, runtime: Any) -> Any:
        last = state["messages"][-1]
        if "damn" in last.text:
            last.content = "I would rather not say."
            return {"messages": [last]}
        return None


def test_a_check_that_can_end_the_agent_is_a_guardrail(look: Callable[[], Recorded]) -> None:
    ask(create_agent(saying(AIMessage("4.2 km")), middleware=[only_trams]), "how long is the tram line?")
    found = look()
    assert found.guardrails() == [("only_trams", "input", "pass", None)]
    assert found.parent(found.kind("GUARDRAIL")[0]).task_name == "only_trams.before_agent"


def test_a_check_that_ends_the_agent_blocks_it_and_says_why(look: Callable[[], Recorded]) -> None:
    ask(create_agent(saying(), middleware=[only_trams]), "how deep is the pool?")
    found = look()
    assert found.guardrails() == [("only_trams", "input", "block", "I only talk about trams.")]
    assert found.kind("LLM_CALL") == []


async def test_async_agents_have_the_same_guardrails(look: Callable[[], Recorded]) -> None:
    agent = create_agent(saying(AIMessage("damn")), middleware=[only_trams, Polite()])
    await agent.ainvoke({"messages": [HumanMessage("how long is the tram line?")]})
    assert look().guardrails() == [
        ("only_trams", "input", "pass", None),
        ("Polite", "output", "modified", None),
    ]


def test_personal_data_is_taken_out_by_a_guardrail(look: Callable[[], Recorded]) -> None:
    agent = create_agent(saying(AIMessage("fine")), middleware=[PIIMiddleware("email", strategy="redact")])
    ask(agent, "write to ann@example.org")
    assert look().guardrails() == [("PIIMiddleware[email]", "input", "modified", None)], "its output is not looked at"


def test_personal_data_that_is_blocked_is_an_error_and_a_verdict(look: Callable[[], Recorded]) -> None:
    agent = create_agent(saying(), middleware=[PIIMiddleware("email", strategy="block", apply_to_output=True)])
    with pytest.raises(Exception, match="email"):
        ask(agent, "write to ann@example.org")
    found = look()
    ((name, target, verdict, reason),) = found.guardrails()
    assert (name, target, verdict) == ("PIIMiddleware[email]", "input", "block")
    assert "email" in reason
    assert [span.task_name for span in found.trace.spans if span.status.name == "ERROR"] == [
        "PIIMiddleware[email].before_model"
    ]


def test_a_limit_that_ends_the_agent_is_a_check_too(look: Callable[[], Recorded]) -> None:
    ask(create_agent(saying(), middleware=[ModelCallLimitMiddleware(run_limit=0, exit_behavior="end")]))
    ((name, target, verdict, reason),) = look().guardrails()
    assert (name, target, verdict) == ("ModelCallLimitMiddleware", "input", "block")
    assert "limit" in reason


def test_middleware_that_cannot_end_the_agent_is_no_guardrail(look: Callable[[], Recorded]) -> None:
    @before_model
    def guardrail(state: Any, runtime: Any) -> Any:
        return None

    @after_model(can_jump_to=["model"])
    def block(state: Any, runtime: Any) -> Any:
        return None

    ask(create_agent(saying(AIMessage("hi")), middleware=[guardrail, block]))
    assert look().guardrails() == []
