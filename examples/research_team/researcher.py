"""The researcher: an agent that looks things up in two places at once."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langgraph.graph.state import CompiledStateGraph

from examples.research_team.archive import look_up_figures, search_archive
from examples.research_team.models import Models

PROMPT = (
    "You are a researcher. Look the question up in the archive and in the figures, both in the same turn."
    " Then list the facts that bear on it, one per line, each starting with a dash. Nothing but the facts."
)


def build_researcher(models: Models) -> CompiledStateGraph[Any, Any, Any, Any]:
    return create_agent(models.small(), [search_archive, look_up_figures], system_prompt=PROMPT, name="researcher")
