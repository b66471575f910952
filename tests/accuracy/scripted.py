"""A chat model that says what a test gives it to say, one answer after the other, and calls tools."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult

_ids = itertools.count(1)


class Scripted(BaseChatModel):
    """Made by `says`."""

    left: Any

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=next(self.left))])


def says(*answers: str | AIMessage) -> Scripted:
    """A model with these answers."""
    found: Iterator[AIMessage] = iter([one if isinstance(one, AIMessage) else AIMessage(one) for one in answers])
    return Scripted(left=found)


def calls(*tools: str, **arguments: Any) -> AIMessage:
    """An answer that calls each of these tools with the same arguments."""
    wanted = [{"name": name, "args": arguments, "id": f"call-{next(_ids)}", "type": "tool_call"} for name in tools]
    return AIMessage("", tool_calls=wanted)
