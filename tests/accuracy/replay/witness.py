"""A model and a tool whose answers are all different and name who asked: an answer given to another one shows.

Each answer has a number that no other has, so the output of an app is the recorded one only where each call got its
own answer. They wait, and code waits, for random times, so that branches race.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.language_models.llms import BaseLLM
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, Generation, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool

_serial = itertools.count(random.SystemRandom().randrange(10**12))  # other processes have other numbers
really_called: list[str] = []
"""Who was really called, in order."""
_LONGEST_S = 0.004


def pause() -> None:
    """Wait for a random time."""
    time.sleep(random.random() * _LONGEST_S)


async def apause() -> None:
    """The same without blocking the event loop."""
    await asyncio.sleep(random.random() * _LONGEST_S)


def _answer(who: str) -> str:
    number = next(_serial)
    really_called.append(who)
    return f"answer {number} to {who}"


class Witness(BaseChatModel):
    """Answers who it is `of`; asks for its tools once where it has any."""

    of: str
    tools: Any = None

    @property
    def _llm_type(self) -> str:
        return "witness"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self.model_copy(update={"tools": [one.name for one in tools]}).bind(
            tools=[{"name": one.name, "description": one.description} for one in tools]
        )

    def _message(self, messages: Any) -> AIMessage:
        text = _answer(self.of)
        if self.tools and messages[-1].type != "tool":
            calls = [
                {"name": name, "args": {"query": f"{self.of} {number}"}, "id": f"call_{uuid4().hex}"}
                for number, name in enumerate(self.tools * 3)
            ]
            return AIMessage(text, tool_calls=calls)
        return AIMessage(text)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        pause()
        return ChatResult(generations=[ChatGeneration(message=self._message(messages))])

    async def _agenerate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        await apause()
        return ChatResult(generations=[ChatGeneration(message=self._message(messages))])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Iterator[Any]:
        for word in _answer(self.of).split(" "):
            pause()
            yield ChatGenerationChunk(message=AIMessageChunk(f"{word} "))

    async def _astream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        for word in _answer(self.of).split(" "):
            await apause()
            yield ChatGenerationChunk(message=AIMessageChunk(f"{word} "))


class CompletionWitness(BaseLLM):
    """The same as a completion model."""

    of: str

    @property
    def _llm_type(self) -> str:
        return "witness"

    def _generate(self, prompts: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> LLMResult:
        pause()
        return LLMResult(generations=[[Generation(text=_answer(self.of))] for _ in prompts])


class RetrieverWitness(BaseRetriever):
    """The same as a retriever."""

    of: str

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[Document]:
        pause()
        return [Document(_answer(self.of), metadata={"query": query})]


@tool
def lookup(query: str) -> str:
    """Look something up."""
    pause()
    return _answer(f"lookup {query}")


@tool
async def alookup(query: str) -> str:
    """Look something up, asynchronously."""
    await apause()
    return _answer(f"alookup {query}")
