"""Details of an answer that its parts and the span's attributes do not have: metadata, usage, ids, blocks of content.

A replay gives the app the same message again with them. Logarithmic probabilities are left out: they spell the text
in pieces, which redaction cannot read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from otel_mas.record import field_of, instance_dict

_ALWAYS: Final = ("response_metadata", "additional_kwargs", "usage_metadata", "id", "name")
_LOGPROBS: Final = ("logprobs", "logprobs_result", "avg_logprobs")


def response_details(generations: Sequence[Any], output: Any) -> dict[str, Any]:
    """Details of a response.

    Args:
        generations: LangChain's candidates.
        output: LangChain's `llm_output`.

    Returns:
        `messages`: of each candidate the fields that it has, by reference; of several, or of a completion model's,
        `output` beside them: where there is one message, its metadata have that already.
    """
    first = field_of(generations[0], "message")
    found: dict[str, Any] = {"messages": [_details(one) for one in generations]}
    if output and (first is None or len(generations) > 1):
        found["output"] = output
    return found


def _details(generation: Any) -> dict[str, Any]:
    message = field_of(generation, "message")
    if message is None:
        info = field_of(generation, "generation_info")
        return {"response_metadata": without_logprobs(info)} if info else {}
    fields = instance_dict(message)
    found = {name: value for name in _ALWAYS if (value := fields.get(name))}
    metadata = found.get("response_metadata")
    if metadata is not None:
        found["response_metadata"] = without_logprobs(metadata)
    if type(content := fields.get("content")) is list:
        found["content"] = content
    if invalid := fields.get("invalid_tool_calls"):
        found["invalid_tool_calls"] = invalid
    return found


def without_logprobs(metadata: Any) -> Any:
    """The metadata, or a copy of them where they have probabilities."""
    if type(metadata) is dict and any(metadata.get(name) for name in _LOGPROBS):
        return {name: None if name in _LOGPROBS else value for name, value in metadata.items()}
    return metadata


__all__ = ["response_details", "without_logprobs"]
