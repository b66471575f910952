"""Features of only some versions of LangGraph, detected by their attributes, not by how a test ends."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import pytest
from langgraph.prebuilt import create_react_agent

if find_spec("langchain") is None:
    create_agent = None
else:
    from langchain.agents import create_agent

HAS_CREATE_AGENT = create_agent is not None
WITHOUT_CREATE_AGENT = "create_agent and its middleware come with LangChain 1.0, which needs LangGraph 1.0"
needs_create_agent = pytest.mark.skipif(not HAS_CREATE_AGENT, reason=WITHOUT_CREATE_AGENT)
# LangChain 1, which sets the filters for its warnings itself, of how LangGraph 0.6 makes its serializer.
LANGCHAIN_S = re.compile(r".*: LangChainPendingDeprecationWarning: The default value of `allowed_objects` .*\n  .*\n")
MODEL_NODE = "model" if HAS_CREATE_AGENT else "agent"
"""The node of an agent that `make_agent` makes in which its model is called."""


def react_agent(model: Any, tools: Sequence[Any] = (), **options: Any) -> Any:
    """`create_react_agent`, which later versions call deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return create_react_agent(model, list(tools), **options)


def make_agent(model: Any, tools: Sequence[Any] = (), *, prompt: str | None = None, **options: Any) -> Any:
    """An agent as people make it with the LangGraph that is here: `create_agent`, or what it grew out of."""
    if create_agent is None:
        return react_agent(model, tools, prompt=prompt, **options)
    return create_agent(model, list(tools), system_prompt=prompt, **options)
