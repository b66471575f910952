"""Usage: each dialect gives the same tokens for the same call, and counts that contradict each other give no cost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.instrumentation.usage import Counts, cost_of, interpret, read_usage
from otel_mas.pricing import Tokens
from otel_mas.semconv import attributes as names

LANGCHAIN = [
    ({"input_tokens": 10, "output_tokens": 5}, Tokens(10, 5)),
    # OpenAI
    (
        {"input_tokens": 10, "output_tokens": 5, "input_token_details": {"cache_read": 4, "audio": 2}},
        Tokens(10, 5, cache_read=4, input_audio=2),
    ),
    # OpenAI's service tiers, as langchain-openai names them
    (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "input_token_details": {"flex_cache_read": 4, "flex": 6},
            "output_token_details": {"flex_reasoning": 3, "flex": 2},
        },
        Tokens(10, 5, cache_read=4, reasoning=3),
    ),
    # Anthropic, with the two lifetimes of its cache
    (
        {
            "input_tokens": 100,
            "output_tokens": 5,
            "input_token_details": {
                "cache_read": 10,
                "cache_creation": 0,
                "ephemeral_5m_input_tokens": 20,
                "ephemeral_1h_input_tokens": 30,
            },
        },
        Tokens(100, 5, cache_read=10, cache_write=50, cache_write_1h=30),
    ),
    # an integration that leaves cached tokens out of its input: they cannot be a part of less
    ({"input_tokens": 3, "output_tokens": 5, "input_token_details": {"cache_read": 1000}}, Tokens(1003, 5, 1000)),
    (
        {
            "input_tokens": 3,
            "output_tokens": 5,
            "total_tokens": 8,
            "input_token_details": {"cache_read": 1000},
        },
        Tokens(1003, 5, 1000),
    ),
    # the same where most of the input was new: the total tells
    (
        {
            "input_tokens": 100,
            "output_tokens": 5,
            "total_tokens": 115,
            "input_token_details": {"cache_read": 10, "cache_creation": 0},
        },
        Tokens(110, 5, cache_read=10),
    ),
    # reasoning beside the output: more than the output, or the total shows it
    (
        {
            "input_tokens": 41,
            "output_tokens": 5,
            "total_tokens": 389,
            "output_token_details": {"reasoning": 343},
        },
        Tokens(41, 348, reasoning=343),
    ),
    (
        {
            "input_tokens": 41,
            "output_tokens": 500,
            "total_tokens": 884,
            "output_token_details": {"reasoning": 343},
        },
        Tokens(41, 843, reasoning=343),
    ),
    # both sides at once
    (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "total_tokens": 135,
            "input_token_details": {"cache_read": 100},
            "output_token_details": {"reasoning": 20},
        },
        Tokens(110, 25, cache_read=100, reasoning=20),
    ),
]


@pytest.mark.parametrize(("usage", "tokens"), LANGCHAIN)
def test_langchains_usage_includes_what_was_cached_and_reasoned(usage: dict[str, Any], tokens: Tokens) -> None:
    found = read_usage(usage)
    assert found is not None
    assert found.contradiction is None
    assert found.tokens == tokens
    attributes = found.attributes
    assert attributes["gen_ai.usage.input_tokens"] == tokens.input
    assert attributes["gen_ai.usage.output_tokens"] == tokens.output
    assert attributes.get("gen_ai.usage.cache_read.input_tokens", 0) == tokens.cache_read
    assert attributes.get("gen_ai.usage.cache_write.input_tokens", 0) == tokens.cache_write
    assert attributes.get("gen_ai.usage.reasoning.output_tokens", 0) == tokens.reasoning


# One call as each API reports it: 13,005 tokens in, of which 12,000 were read from and 1,000 written to a cache; 140
# out, of which 40 were reasoning. What an API does not report is not in its row.
READ = {"cache_read": 12_000}
BOTH = {"cache_read": 12_000, "cache_write": 1_000}
DIALECTS = {
    "OpenAI chat": (
        {
            "prompt_tokens": 13_005,
            "completion_tokens": 140,
            "total_tokens": 13_145,
            "prompt_tokens_details": {"cached_tokens": 12_000, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 40, "accepted_prediction_tokens": 0},
        },
        {**READ, "reasoning": 40},
    ),
    "OpenAI responses": (
        {
            "input_tokens": 13_005,
            "output_tokens": 140,
            "total_tokens": 13_145,
            "input_tokens_details": {"cached_tokens": 12_000},
            "output_tokens_details": {"reasoning_tokens": 40},
        },
        {**READ, "reasoning": 40},
    ),
    "xAI: reasoning beside the output": (
        {
            "prompt_tokens": 13_005,
            "completion_tokens": 100,
            "total_tokens": 13_145,
            "prompt_tokens_details": {"cached_tokens": 12_000},
            "completion_tokens_details": {"reasoning_tokens": 40},
        },
        {**READ, "reasoning": 40},
    ),
    "DeepSeek": (
        {
            "prompt_tokens": 13_005,
            "completion_tokens": 140,
            "total_tokens": 13_145,
            "prompt_cache_hit_tokens": 12_000,
            "prompt_cache_miss_tokens": 1_005,
            "completion_tokens_details": {"reasoning_tokens": 40},
        },
        {**READ, "reasoning": 40},
    ),
    "Moonshot": ({"prompt_tokens": 13_005, "completion_tokens": 140, "cached_tokens": 12_000}, READ),
    "OpenRouter": (
        {
            "prompt_tokens": 13_005,
            "completion_tokens": 140,
            "total_tokens": 13_145,
            "prompt_tokens_details": {"cached_tokens": 12_000, "cache_write_tokens": 1_000},
            "completion_tokens_details": {"reasoning_tokens": 40},
        },
        {**BOTH, "reasoning": 40},
    ),
    "Anthropic": (
        {
            "input_tokens": 5,
            "output_tokens": 140,
            "cache_read_input_tokens": 12_000,
            "cache_creation_input_tokens": 1_000,
            "cache_creation": {"ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 400},
            "service_tier": "standard",
        },
        {**BOTH, "cache_write_1h": 400},
    ),
    "LiteLLM: Anthropic's cache within the prompt": (
        {
            "prompt_tokens": 13_005,
            "completion_tokens": 140,
            "total_tokens": 13_145,
            "cache_read_input_tokens": 12_000,
            "cache_creation_input_tokens": 1_000,
        },
        BOTH,
    ),
    "langchain-aws: Anthropic's cache beside the prompt": (
        {
            "prompt_tokens": 5,
            "completion_tokens": 140,
            "total_tokens": 13_145,
            "cache_read_input_tokens": 12_000,
            "cache_write_input_tokens": 1_000,
        },
        BOTH,
    ),
    "Bedrock Converse": (
        {
            "inputTokens": 5,
            "outputTokens": 140,
            "totalTokens": 13_145,
            "cacheReadInputTokens": 12_000,
            "cacheWriteInputTokens": 1_000,
        },
        BOTH,
    ),
    "Bedrock invocation metrics": (
        {
            "inputTokenCount": 5,
            "outputTokenCount": 140,
            "cacheReadInputTokenCount": 12_000,
            "cacheWriteInputTokenCount": 1_000,
            "invocationLatency": 900,
        },
        BOTH,
    ),
    "Gemini REST": (
        {
            "promptTokenCount": 13_005,
            "candidatesTokenCount": 100,
            "thoughtsTokenCount": 40,
            "cachedContentTokenCount": 12_000,
            "totalTokenCount": 13_145,
        },
        {**READ, "reasoning": 40},
    ),
    "Gemini Python, with the results of its own tools": (
        {
            "prompt_token_count": 13_000,
            "tool_use_prompt_token_count": 5,
            "candidates_token_count": 100,
            "thoughts_token_count": 40,
            "cached_content_token_count": 12_000,
            "total_token_count": 13_145,
        },
        {**READ, "reasoning": 40},
    ),
    "Cohere": (
        {
            "billed_units": {"input_tokens": 13_005.0, "output_tokens": 140.0},
            "tokens": {"input_tokens": 13_600.0, "output_tokens": 150.0},
        },
        {},
    ),
    "Bedrock Llama": ({"prompt_token_count": 13_005, "generation_token_count": 140, "stop_reason": "stop"}, {}),
    "Ollama": ({"prompt_eval_count": 13_005, "eval_count": 140, "eval_duration": 12}, {}),
    "watsonx": ({"input_token_count": 13_005, "generated_token_count": 140}, {}),
}
PLACES = {
    "llm_output's token_usage": lambda usage: (None, {}, {"token_usage": usage}),
    "llm_output's usage": lambda usage: (None, {}, {"usage": usage}),
    "metadata's usage": lambda usage: (None, {"usage": usage}, {}),
    "metadata's usage_metadata": lambda usage: (None, {"usage_metadata": usage}, {}),
    "the metadata itself": lambda usage: (None, {"model": "m", **usage}, {}),
    "an object": lambda usage: (None, {"usage": as_object(usage)}, {}),
    "usage_metadata, passed on as it came": lambda usage: (usage, {}, {}),
}


def as_object(usage: dict[str, Any]) -> Any:
    """What a client library makes of it: an object with fields."""
    return SimpleNamespace(**{key: as_object(one) if isinstance(one, dict) else one for key, one in usage.items()})


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_says_the_same_of_the_same_call(dialect: str, place: str) -> None:
    reported, parts = DIALECTS[dialect]
    found = read_usage(*PLACES[place](reported))
    assert found is not None
    assert found.contradiction is None
    assert found.tokens == Tokens(13_005, 140, **parts)
    assert found.attributes[names.GEN_AI_USAGE_INPUT_TOKENS] == 13_005
    assert found.attributes[names.GEN_AI_USAGE_OUTPUT_TOKENS] == 140


def test_the_parts_that_langchain_left_out_are_taken_from_the_provider() -> None:
    reported, parts = DIALECTS["OpenAI chat"]
    found = read_usage(
        {"input_tokens": 13_005, "output_tokens": 140, "total_tokens": 13_145}, {"token_usage": reported}
    )
    assert found is not None
    assert found.tokens == Tokens(13_005, 140, **parts)


def test_langchains_counts_stand_against_other_ones_of_the_provider() -> None:
    """Merged chunks may have been added up in one of the two."""
    reported, _ = DIALECTS["OpenAI chat"]
    found = read_usage({"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}, {"token_usage": reported})
    assert found is not None
    assert found.tokens == Tokens(7, 3)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 500},
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 12},
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 11}},
        {"prompt_tokens": 10, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 6}},
        {"prompt_tokens": -10, "completion_tokens": 5},
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": -1}},
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"audio_tokens": 11}},
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"audio_tokens": 7, "image_tokens": 7}},
        {"input_tokens": 41, "output_tokens": 5, "total_tokens": 46, "output_token_details": {"reasoning": 343}},
        {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 16, "thoughtsTokenCount": 3},
    ],
)  # fmt: skip
def test_what_contradicts_itself_has_no_cost_and_says_why(usage: dict[str, Any]) -> None:
    found = read_usage(None, {"usage": usage})
    assert found is not None
    assert found.contradiction is not None
    cost = cost_of(found, "openai", ("gpt-4o",))
    assert cost.usd is None
    assert cost.missing == found.contradiction
    assert cost.missing.startswith("the usage contradicts itself: input ")


@pytest.mark.parametrize(
    "usage", [None, {}, {"usage": {}}, {"usage": {"output": "many"}}, {"usage": [1]}, {"usage": 5}]
)
def test_where_nothing_is_reported_nothing_is_known(usage: Any) -> None:
    assert read_usage(None, usage) is None


def test_a_zero_that_was_reported_is_recorded() -> None:
    found = read_usage({"input_tokens": 1, "output_tokens": 1, "input_token_details": {"cache_read": 0}})
    assert found is not None
    assert found.attributes["gen_ai.usage.cache_read.input_tokens"] == 0


@pytest.mark.parametrize(
    ("usage", "missing"),
    [
        ({"prompt_tokens": 10}, "output"),
        ({"completion_tokens": 5}, "input"),
        ({"prompt_tokens": 10, "completion_tokens": "5"}, "output"),
        ({"prompt_tokens": 10.5, "completion_tokens": 5}, "input"),
        ({"prompt_tokens": True, "completion_tokens": 5}, "input"),
        ({"prompt_tokens": float("nan"), "completion_tokens": 5}, "input"),
    ],
)
def test_one_side_alone_has_no_cost_and_says_why(usage: dict[str, Any], missing: str) -> None:
    found = read_usage(None, {"usage": usage})
    assert found is not None
    assert found.contradiction == f"the model did not say how many tokens its {missing} had"
    assert len(found.attributes) == 1


def test_a_total_says_what_one_side_left_out() -> None:
    found = read_usage(None, {"usage": {"promptTokenCount": 10, "thoughtsTokenCount": 40, "totalTokenCount": 50}})
    assert found is not None
    assert found.tokens == Tokens(10, 40, reasoning=40)


def test_code_of_an_odd_mapping_is_not_called() -> None:
    class Odd(dict):  # type: ignore[type-arg]
        def get(self, *_: Any) -> Any:
            raise AssertionError("called")

        __getitem__ = __contains__ = items = __iter__ = get

    found = read_usage(None, Odd(usage=Odd(prompt_tokens=3, completion_tokens=2)))
    assert found is not None
    assert found.tokens == Tokens(3, 2)


@given(
    st.builds(Counts, *(st.none() | st.integers(0, 400) for _ in Counts._fields)),
    st.sampled_from([None, False, True]),
    st.sampled_from([None, False, True]),
)
def test_a_part_is_never_more_than_its_whole(counts: Counts, cache: bool | None, reasoning: bool | None) -> None:
    tokens, _, contradiction = interpret(counts, cache, reasoning)
    if contradiction is None:
        assert tokens.cache_read + tokens.cache_write <= tokens.input
        assert tokens.reasoning <= tokens.output
        reported = (counts.input or 0) + (counts.tool_input or 0) + (counts.output or 0)
        one_side = None in (counts.input, counts.output)  # then the total says what the other one is
        assert not counts.total or one_side or counts.total in (tokens.input + tokens.output, reported)
