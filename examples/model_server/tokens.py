"""Token counts, derived from the text alone.

A token is a run of at most four word characters, or one other character that is not a space: for English prose
the counts are near those of real tokenizers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from examples.model_server.protocol import Request, text_of

TOKEN = re.compile(r"\w{1,4}|[^\w\s]")
PER_MESSAGE = 3
PER_IMAGE = 85
CACHE_BLOCK = 128
"""OpenAI's prompt cache has blocks of 128 tokens too, but needs more than one."""

REASONING_BLOCK = 64
REASONING_MODELS = re.compile(r"o\d|gpt-5")


@dataclass(frozen=True, slots=True)
class Usage:
    prompt: int
    cached: int
    completion: int
    """Includes the reasoning tokens, as in OpenAI's usage."""
    reasoning: int

    def as_json(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": self.reasoning,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        }


def tokenize(text: str) -> list[str]:
    """Tokens of a text, each with the spaces before it; joined they are the text."""
    cuts = [match.start() for match in TOKEN.finditer(text)]
    starts = [0, *cuts[1:]] if cuts else [0]
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True) if end > start]


def count_tokens(text: str) -> int:
    return len(TOKEN.findall(text))


def usage(request: Request, content: str | None, tool_calls: Sequence[tuple[str, str]]) -> Usage:
    """Usage of a request and its answer.

    Messages before the last turn of the assistant count as cached, in whole blocks: they have been sent before.
    """
    overhead = count_tokens(_compact(request.tools)) + count_tokens(_compact(request.response_format))
    sizes = [_size(message) for message in request.messages]
    prompt = overhead + sum(sizes) + PER_MESSAGE
    turns = [at for at, message in enumerate(request.messages) if message["role"] == "assistant"]
    before = overhead + sum(sizes[: turns[-1]]) if turns else 0
    visible = count_tokens(content or "") + sum(
        count_tokens(name) + count_tokens(arguments) for name, arguments in tool_calls
    )
    reasons = REASONING_MODELS.match(request.model) is not None
    reasoning = REASONING_BLOCK * (1 + prompt // 256) if reasons else 0
    return Usage(prompt, before // CACHE_BLOCK * CACHE_BLOCK, visible + reasoning, reasoning)


def _size(message: Mapping[str, Any]) -> int:
    parts = message.get("content")
    images = sum(part.get("type") == "image_url" for part in parts) if isinstance(parts, list) else 0
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return (
        PER_MESSAGE
        + PER_IMAGE * images
        + count_tokens(text_of(message))
        + count_tokens(message.get("name") or "")
        + sum(count_tokens(call["name"]) + count_tokens(call["arguments"]) for call in calls)
    )


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) if value else ""
