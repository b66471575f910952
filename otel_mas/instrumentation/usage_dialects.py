"""Name the token counts of each provider's API, and say what they include."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class Dialect(NamedTuple):
    """The names that one API gives its counts, and what they include."""

    source: str
    keys: Mapping[str, tuple[str, ...]]
    """Field of `usage.Counts` → keys: a dot leads into a nested mapping, and the first that is there counts."""
    cache_beside_input: bool | None = False
    """None where who writes it differs."""
    reasoning_beside_output: bool | None = False


LANGCHAIN: Final = Dialect(
    "langchain_core.messages.ai.UsageMetadata; service tiers as langchain-openai prefixes them",
    {
        "input": ("input_tokens",),
        "output": ("output_tokens",),
        "total": ("total_tokens",),
        "cache_read": tuple(f"input_token_details.{tier}cache_read" for tier in ("", "priority_", "flex_")),
        "cache_write": tuple(f"input_token_details.{tier}cache_creation" for tier in ("", "priority_", "flex_")),
        "cache_write_5m": ("input_token_details.ephemeral_5m_input_tokens",),
        "cache_write_1h": ("input_token_details.ephemeral_1h_input_tokens",),
        "reasoning": tuple(f"output_token_details.{tier}reasoning" for tier in ("", "priority_", "flex_")),
        "input_audio": ("input_token_details.audio",),
        "output_audio": ("output_token_details.audio",),
        "input_image": ("input_token_details.image",),
        "output_image": ("output_token_details.image",),
    },
    cache_beside_input=None,
    reasoning_beside_output=None,
)

# The dialects of providers. Usage is read in the one that knows most of its keys; of two, in the earlier one.
DIALECTS: Final = (
    LANGCHAIN,
    Dialect(
        "platform.openai.com/docs/api-reference/chat (usage); with what DeepSeek adds (prompt_cache_hit_tokens), "
        "Moonshot (cached_tokens), OpenRouter (cache_write_tokens) and Perplexity (reasoning_tokens)",
        {
            "input": ("prompt_tokens",),
            "output": ("completion_tokens",),
            "total": ("total_tokens",),
            "cache_read": ("prompt_tokens_details.cached_tokens", "prompt_cache_hit_tokens", "cached_tokens"),
            "cache_write": ("prompt_tokens_details.cache_write_tokens",),
            "reasoning": ("completion_tokens_details.reasoning_tokens", "reasoning_tokens"),
            "input_audio": ("prompt_tokens_details.audio_tokens",),
            "output_audio": ("completion_tokens_details.audio_tokens",),
            "input_image": ("prompt_tokens_details.image_tokens",),
            "output_image": ("completion_tokens_details.image_tokens",),
        },
    ),
    Dialect(
        "Anthropic's counts by OpenAI's names: LiteLLM counts the cache within the prompt, langchain-aws beside it",
        {
            "input": ("prompt_tokens",),
            "output": ("completion_tokens",),
            "total": ("total_tokens",),
            "cache_read": ("cache_read_input_tokens",),
            "cache_write": ("cache_creation_input_tokens", "cache_write_input_tokens"),
            "cache_write_5m": (
                "cache_creation.ephemeral_5m_input_tokens",
                "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",
            ),
            "cache_write_1h": (
                "cache_creation.ephemeral_1h_input_tokens",
                "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
            ),
            "reasoning": ("completion_tokens_details.reasoning_tokens",),
        },
        cache_beside_input=None,
    ),
    Dialect(
        "platform.openai.com/docs/api-reference/responses (usage)",
        {
            "input": ("input_tokens",),
            "output": ("output_tokens",),
            "total": ("total_tokens",),
            "cache_read": ("input_tokens_details.cached_tokens",),
            "cache_write": ("input_tokens_details.cache_write_tokens",),
            "reasoning": ("output_tokens_details.reasoning_tokens",),
            "input_audio": ("input_tokens_details.audio_tokens",),
            "output_audio": ("output_tokens_details.audio_tokens",),
            "input_image": ("input_tokens_details.image_tokens",),
            "output_image": ("output_tokens_details.image_tokens",),
        },
    ),
    Dialect(
        "docs.anthropic.com/en/api/messages (usage): the input is what was neither read from nor written to the cache",
        {
            "input": ("input_tokens",),
            "output": ("output_tokens",),
            "total": ("total_tokens",),
            "cache_read": ("cache_read_input_tokens",),
            "cache_write": ("cache_creation_input_tokens", "cache_write_input_tokens"),
            "cache_write_5m": ("cache_creation.ephemeral_5m_input_tokens",),
            "cache_write_1h": ("cache_creation.ephemeral_1h_input_tokens",),
            "reasoning": ("output_tokens_details.thinking_tokens",),
        },
        cache_beside_input=True,
    ),
    Dialect(
        "docs.aws.amazon.com/bedrock: TokenUsage of Converse; cacheReadInputTokenCount and its kin are those of the "
        "invocation metrics of InvokeModel",
        {
            "input": ("inputTokens", "inputTokenCount"),
            "output": ("outputTokens", "outputTokenCount"),
            "total": ("totalTokens",),
            "cache_read": ("cacheReadInputTokens", "cacheReadInputTokenCount"),
            "cache_write": ("cacheWriteInputTokens", "cacheWriteInputTokenCount"),
        },
        cache_beside_input=True,
    ),
    *(
        Dialect(
            "ai.google.dev/api/generate-content#UsageMetadata: cached tokens are within the prompt, thoughts beside "
            "the candidates; in REST's spelling and in Python's",
            dict(zip(("input", "output", "total", "cache_read", "reasoning", "tool_input"), keys, strict=True)),
            reasoning_beside_output=True,
        )
        for keys in (
            (
                ("promptTokenCount",),
                ("candidatesTokenCount", "responseTokenCount"),
                ("totalTokenCount",),
                ("cachedContentTokenCount",),
                ("thoughtsTokenCount",),
                ("toolUsePromptTokenCount",),
            ),
            (
                ("prompt_token_count",),
                ("candidates_token_count", "response_token_count"),
                ("total_token_count",),
                ("cached_content_token_count",),
                ("thoughts_token_count",),
                ("tool_use_prompt_token_count",),
            ),
        )
    ),
    Dialect(
        "docs.cohere.com/reference/chat (usage, meta): billed tokens count, not those of the template around them",
        {
            "input": ("billed_units.input_tokens", "tokens.input_tokens"),
            "output": ("billed_units.output_tokens", "tokens.output_tokens"),
        },
    ),
    Dialect(
        "docs.aws.amazon.com/bedrock: Llama by InvokeModel",
        {"input": ("prompt_token_count",), "output": ("generation_token_count",)},
    ),
    Dialect(
        "docs.ollama.com/api (generate, chat)",
        {"input": ("prompt_eval_count",), "output": ("eval_count",)},
    ),
    Dialect(
        "cloud.ibm.com/apidocs/watsonx-ai (text generation)",
        {"input": ("input_token_count",), "output": ("generated_token_count",)},
    ),
)

__all__ = ["DIALECTS", "LANGCHAIN", "Dialect"]
