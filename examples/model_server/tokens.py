"""Token counts, derived from the text alone.

A token is a run of at most four word characters, or one other character that is not a space. That is near what the
real tokenizers make of English prose, and the same on every machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from examples.model_server.protocol import Request, text_of

PIECE = re.compile(r"\w{1,4}|[^\w\s]")
PER_MESSAGE = 3
PER_IMAGE = 85
CACHE_BLOCK = 128
"""Like the real one, the prompt cache works in blocks of 128 tokens. Unlike it, one block is enough."""

REASONING_BLOCK = 64
REASONING_MODELS = re.compile(r"o\d|gpt-5")


@dataclass(frozen=True, slots=True)
class Usage:
    prompt: int
    cached: int
    completion: int
    """With the reasoning tokens, as OpenAI counts."""
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


def pieces(text: str) -> list[str]:
    """The tokens of a text, spaces kept in front of the token they precede: joined they are the text again."""
    cuts = [match.start() for match in PIECE.finditer(text)]
    starts = [0, *cuts[1:]] if cuts else [0]
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True) if end > start]


def count(text: str) -> int:
    return len(PIECE.findall(text))


def usage(request: Request, content: str | None, tool_calls: Sequence[tuple[str, str]]) -> Usage:
    """What a request and its answer amount to.

    Cached is what lies before the last turn of the assistant, in whole blocks: a conversation has sent it before.
    """
    overhead = count(_compact(request.tools)) + count(_compact(request.response_format))
    sizes = [_size(message) for message in request.messages]
    prompt = overhead + sum(sizes) + PER_MESSAGE
    turns = [at for at, message in enumerate(request.messages) if message["role"] == "assistant"]
    before = overhead + sum(sizes[: turns[-1]]) if turns else 0
    visible = count(content or "") + sum(count(name) + count(arguments) for name, arguments in tool_calls)
    thinks = REASONING_MODELS.match(request.model) is not None
    reasoning = REASONING_BLOCK * (1 + prompt // 256) if thinks else 0
    return Usage(prompt, before // CACHE_BLOCK * CACHE_BLOCK, visible + reasoning, reasoning)


def _size(message: Mapping[str, Any]) -> int:
    parts = message.get("content")
    images = sum(part.get("type") == "image_url" for part in parts) if isinstance(parts, list) else 0
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return (
        PER_MESSAGE
        + PER_IMAGE * images
        + count(text_of(message))
        + count(message.get("name") or "")
        + sum(count(call["name"]) + count(call["arguments"]) for call in calls)
    )


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) if value else ""
