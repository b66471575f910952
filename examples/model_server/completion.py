"""The response to a request: OpenAI's JSON, whole or in chunks, and its latency."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from examples.model_server.protocol import Request
from examples.model_server.script import Answer, ToolCall, answer
from examples.model_server.tokens import Usage, tokenize, usage

TOKENS_PER_CHUNK = 4


@dataclass(frozen=True, slots=True)
class Completion:
    """A response; `first_s` passes before its first chunk, `rest_s` is spread over the others."""

    request: Request
    answer: Answer
    finish_reason: str
    usage: Usage
    first_s: float
    rest_s: float

    @staticmethod
    def of(request: Request) -> Completion:
        limited, finish_reason = _limited(answer(request), request)
        used = usage(request, limited.content, [(call.name, call.arguments) for call in limited.tool_calls])
        random = Random(request.digest + "latency")
        first = 0.2 + 0.0002 * (used.prompt - used.cached) + 0.1 * random.random()
        rest = used.completion * (0.005 + 0.002 * random.random())
        return Completion(request, limited, finish_reason, used, first, rest)

    def as_json(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": self.answer.content, "refusal": None}
        if self.answer.tool_calls:
            message["tool_calls"] = [_call(call) for call in self.answer.tool_calls]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.finish_reason}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self.usage.as_json()}

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Chunks of the stream, in order; the last one holds the usage if the request asks for it."""
        head = self._head("chat.completion.chunk")
        if self.request.include_usage:
            head["usage"] = None
        for delta in self._deltas():
            yield {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}]}
        end = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": self.finish_reason}
        yield {**head, "choices": [end]}
        if self.request.include_usage:
            yield {**head, "choices": [], "usage": self.usage.as_json()}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{self.request.digest[:29]}",
            "object": kind,
            "created": int(time.time()),
            "model": self.request.response_model,
            "service_tier": "default",
            "system_fingerprint": "fp_scripted",
        }

    def _deltas(self) -> Iterator[dict[str, Any]]:
        empty = None if self.answer.tool_calls else ""
        yield {"role": "assistant", "content": empty, "refusal": None}
        for text in _chunk_texts(self.answer.content or ""):
            yield {"content": text}
        for index, call in enumerate(self.answer.tool_calls):
            opening = {**_call(call), "function": {"name": call.name, "arguments": ""}}
            yield {"tool_calls": [{"index": index, **opening}]}
            for text in _chunk_texts(call.arguments):
                yield {"tool_calls": [{"index": index, "function": {"arguments": text}}]}


def _limited(full: Answer, request: Request) -> tuple[Answer, str]:
    """Cut the answer at a stop sequence or at the token limit; also return its finish reason."""
    if full.tool_calls:
        # OpenAI answers "stop" if the request named the tool, "tool_calls" if the model chose it.
        return full, "stop" if isinstance(request.tool_choice, dict) else "tool_calls"
    text = full.content or ""
    for sequence in request.stop:
        text = text.split(sequence, 1)[0]
    tokens = tokenize(text)
    if request.max_tokens is not None and len(tokens) > request.max_tokens:
        return Answer("".join(tokens[: request.max_tokens])), "length"
    return Answer(text), "stop"


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _chunk_texts(text: str) -> Iterator[str]:
    tokens = tokenize(text)
    for start in range(0, len(tokens), TOKENS_PER_CHUNK):
        yield "".join(tokens[start : start + TOKENS_PER_CHUNK])
