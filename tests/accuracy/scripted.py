"""A chat model that says what a test gives it to say, one answer after the other, and calls tools."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, ToolCallChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

_ids = itertools.count(1)


class Scripted(BaseChatModel):
    """Made by `says`. Streams its answers in two pieces, what they used in a third."""

    left: Any
    provider: str = "scripted"
    model: str = "scripted"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
        return {"ls_provider": self.provider, "ls_model_name": self.model, "ls_model_type": "chat"}

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=next(self.left))])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        answer = next(self.left)
        words = answer.text if isinstance(answer.text, str) else answer.text()  # a method until LangChain 1
        half = len(words) // 2
        for text in (words[:half], words[half:]):
            yield ChatGenerationChunk(message=AIMessageChunk(text))
        yield ChatGenerationChunk(
            message=AIMessageChunk("", usage_metadata=answer.usage_metadata, tool_call_chunks=_chunks(answer))
        )


def _chunks(answer: AIMessage) -> list[ToolCallChunk]:
    return [
        ToolCallChunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=index)
        for index, call in enumerate(answer.tool_calls)
    ]


def says(*answers: str | AIMessage, **model: str) -> Scripted:
    """A model with these answers; `provider` and `model` name it."""
    found: Iterator[AIMessage] = iter([one if isinstance(one, AIMessage) else AIMessage(one) for one in answers])
    return Scripted(left=found, **model)


def calls(*tools: str, **arguments: Any) -> AIMessage:
    """An answer that calls each of these tools with the same arguments."""
    wanted = [{"name": name, "args": arguments, "id": f"call-{next(_ids)}", "type": "tool_call"} for name in tools]
    return AIMessage("", tool_calls=wanted)
