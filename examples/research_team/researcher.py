"""The researcher: an agent that looks things up in two places at once, and looks up nobody's address."""

from __future__ import annotations

import re
from typing import Any

from langchain.agents import AgentState, create_agent
from langchain.agents.middleware import before_agent
from langchain_core.messages import AIMessage
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from examples.research_team.archive import look_up_figures, search_archive
from examples.research_team.models import Models

PROMPT = (
    "You are a researcher. Look the question up in the archive and in the figures, both in the same turn."
    " Then list the facts that bear on it, one per line, each starting with a dash. Nothing but the facts."
)


ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w+")


@before_agent(can_jump_to=["end"])
def privacy(state: AgentState[Any], runtime: Runtime[None]) -> dict[str, Any] | None:
    """Refuse a question that contains an e-mail address."""
    if not any(ADDRESS.search(message.text) for message in state["messages"]):
        return None
    return {"messages": [AIMessage("I look into public matters only.", name="researcher")], "jump_to": "end"}


def build_researcher(models: Models) -> CompiledStateGraph[Any, Any, Any, Any]:
    return create_agent(
        models.small(),
        [search_archive, look_up_figures],
        system_prompt=PROMPT,
        middleware=[privacy],
        name="researcher",
    )
