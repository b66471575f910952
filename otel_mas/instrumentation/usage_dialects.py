"""The names of the token counts in each provider's API, and what the counts include."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


class Dialect:
    """The names that one API gives its counts, and what they include. None: that differs between its writers.

    Args:
        keys: Field of `usage.Counts` → names; the first that is there counts. A dot leads into a nested mapping.
        cache_beside_input: cached tokens are not counted within the input.
        reasoning_beside_output: reasoning tokens are not counted within the output.
    """

    def __init__(
        self,
        keys: Mapping[str, str],
        *,
        cache_beside_input: bool | None = False,
        reasoning_beside_output: bool | None = False,
    ) -> None:
        self.keys = {field: tuple(name.split(".") for name in key.split()) for field, key in keys.items()}
        self.top_level = frozenset(name[0] for key in self.keys.values() for name in key)
        self.cache_beside_input = cache_beside_input
        self.reasoning_beside_output = reasoning_beside_output


def _tiers(path: str) -> str:
    """Names of a count, with the service tiers that langchain-openai puts before them."""
    place, _, name = path.partition(".")
    return " ".join(f"{place}.{tier}{name}" for tier in ("", "priority_", "flex_"))


def _media(input_path: str, output_path: str) -> dict[str, str]:
    return {
        f"{side}_{modality}": path.format(modality)
        for side, path in (("input", input_path), ("output", output_path))
        for modality in ("audio", "image")
    }


_INPUT_OUTPUT: Final = {"input": "input_tokens", "output": "output_tokens", "total": "total_tokens"}
_PROMPT_COMPLETION: Final = {"input": "prompt_tokens", "output": "completion_tokens", "total": "total_tokens"}
# Usage is read in the dialect that knows most of its keys; of two, in the earlier one.
DIALECTS: Final = (
    # langchain_core.messages.ai.UsageMetadata
    Dialect(
        {
            **_INPUT_OUTPUT,
            "cache_read": _tiers("input_token_details.cache_read"),
            "cache_write": _tiers("input_token_details.cache_creation"),
            "cache_write_5m": "input_token_details.ephemeral_5m_input_tokens",
            "cache_write_1h": "input_token_details.ephemeral_1h_input_tokens",
            "reasoning": _tiers("output_token_details.reasoning"),
            **_media("input_token_details.{}", "output_token_details.{}"),
        },
        cache_beside_input=None,
        reasoning_beside_output=None,
    ),
    # platform.openai.com/docs/api-reference/chat (usage), and what is added by DeepSeek (prompt_cache_hit_tokens),
    # Moonshot (cached_tokens), OpenRouter (cache_write_tokens) and Perplexity (reasoning_tokens).
    Dialect(
        {
            **_PROMPT_COMPLETION,
            "cache_read": "prompt_tokens_details.cached_tokens prompt_cache_hit_tokens cached_tokens",
            "cache_write": "prompt_tokens_details.cache_write_tokens",
            "reasoning": "completion_tokens_details.reasoning_tokens reasoning_tokens",
            **_media("prompt_tokens_details.{}_tokens", "completion_tokens_details.{}_tokens"),
        },
    ),
    # Anthropic's counts by OpenAI's names: LiteLLM counts the cache within the prompt, langchain-aws beside it.
    Dialect(
        {
            **_PROMPT_COMPLETION,
            "cache_read": "cache_read_input_tokens",
            "cache_write": "cache_creation_input_tokens cache_write_input_tokens",
            "cache_write_5m": "cache_creation.ephemeral_5m_input_tokens "
            "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",
            "cache_write_1h": "cache_creation.ephemeral_1h_input_tokens "
            "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
            "reasoning": "completion_tokens_details.reasoning_tokens",
        },
        cache_beside_input=None,
    ),
    # platform.openai.com/docs/api-reference/responses (usage)
    Dialect(
        {
            **_INPUT_OUTPUT,
            "cache_read": "input_tokens_details.cached_tokens",
            "cache_write": "input_tokens_details.cache_write_tokens",
            "reasoning": "output_tokens_details.reasoning_tokens",
            **_media("input_tokens_details.{}_tokens", "output_tokens_details.{}_tokens"),
        },
    ),
    # docs.anthropic.com/en/api/messages (usage): the input was neither read from nor written to the cache.
    Dialect(
        {
            **_INPUT_OUTPUT,
            "cache_read": "cache_read_input_tokens",
            "cache_write": "cache_creation_input_tokens cache_write_input_tokens",
            "cache_write_5m": "cache_creation.ephemeral_5m_input_tokens",
            "cache_write_1h": "cache_creation.ephemeral_1h_input_tokens",
            "reasoning": "output_tokens_details.thinking_tokens",
        },
        cache_beside_input=True,
    ),
    # docs.aws.amazon.com/bedrock: TokenUsage of Converse, and the invocation metrics of InvokeModel (...TokenCount).
    Dialect(
        {
            "input": "inputTokens inputTokenCount",
            "output": "outputTokens outputTokenCount",
            "total": "totalTokens",
            "cache_read": "cacheReadInputTokens cacheReadInputTokenCount",
            "cache_write": "cacheWriteInputTokens cacheWriteInputTokenCount",
        },
        cache_beside_input=True,
    ),
    # ai.google.dev/api/generate-content#UsageMetadata: cached tokens are within the prompt, thoughts beside the
    # candidates; in REST's spelling and in Python's.
    Dialect(
        {
            "input": "promptTokenCount prompt_token_count",
            "output": "candidatesTokenCount responseTokenCount candidates_token_count response_token_count",
            "total": "totalTokenCount total_token_count",
            "cache_read": "cachedContentTokenCount cached_content_token_count",
            "reasoning": "thoughtsTokenCount thoughts_token_count",
            "tool_input": "toolUsePromptTokenCount tool_use_prompt_token_count",
        },
        reasoning_beside_output=True,
    ),
    # docs.cohere.com/reference/chat (usage, meta): billed tokens count, not those of the template around them.
    Dialect(
        {
            "input": "billed_units.input_tokens tokens.input_tokens",
            "output": "billed_units.output_tokens tokens.output_tokens",
        }
    ),
    # docs.aws.amazon.com/bedrock: Llama by InvokeModel
    Dialect({"input": "prompt_token_count", "output": "generation_token_count"}),
    # docs.ollama.com/api (generate, chat)
    Dialect({"input": "prompt_eval_count", "output": "eval_count"}),
    # cloud.ibm.com/apidocs/watsonx-ai (text generation)
    Dialect({"input": "input_token_count", "output": "generated_token_count"}),
)

__all__ = ["DIALECTS", "Dialect"]
