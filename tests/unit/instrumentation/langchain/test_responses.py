"""What a model says it used, in the shapes of the integrations."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation

from otel_mas.instrumentation.langchain.requests import Target
from otel_mas.instrumentation.langchain.responses import counted, end_attributes
from otel_mas.instrumentation.pricing import Tokens

OPENAI = Target("chat gpt-4o", "openai", "gpt-4o", {})


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
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
        # an integration that leaves cached tokens out of its total
        ({"input_tokens": 3, "output_tokens": 5, "input_token_details": {"cache_read": 1000}}, Tokens(1003, 5, 1000)),
        # the same where most of the input was new: what the provider calls the total tells
        (
            {
                "input_tokens": 100,
                "output_tokens": 5,
                "total_tokens": 115,
                "input_token_details": {"cache_read": 10, "cache_creation": 0},
            },
            Tokens(110, 5, cache_read=10),
        ),
    ],
)
def test_usage_is_counted_with_cached_tokens_in_the_input(usage: dict[str, Any], tokens: Tokens) -> None:
    attributes: dict[str, Any] = {}
    assert counted(usage, attributes) == tokens
    assert attributes["gen_ai.usage.input_tokens"] == tokens.input
    assert attributes["gen_ai.usage.output_tokens"] == tokens.output
    assert attributes.get("gen_ai.usage.cache_read.input_tokens", 0) == tokens.cache_read
    assert attributes.get("gen_ai.usage.cache_write.input_tokens", 0) == tokens.cache_write
    assert attributes.get("gen_ai.usage.reasoning.output_tokens", 0) == tokens.reasoning


def test_a_zero_that_was_reported_is_recorded() -> None:
    attributes: dict[str, Any] = {}
    counted({"input_tokens": 1, "output_tokens": 1, "input_token_details": {"cache_read": 0}}, attributes)
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 0


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"finish_reason": "stop"}, "stop"),
        ({"stop_reason": "end_turn"}, "end_turn"),
        ({"done_reason": "load"}, "load"),
        ({"stopReason": "tool_use"}, "tool_use"),
    ],
)
def test_finish_reasons_are_found_under_each_providers_name(metadata: dict[str, Any], reason: str) -> None:
    generation = ChatGeneration(message=AIMessage("hi", response_metadata=metadata))
    assert end_attributes(OPENAI, [generation], None, False)["gen_ai.response.finish_reasons"] == (reason,)


def test_every_candidate_has_its_finish_reason_and_usage_counts_once() -> None:
    usage: Any = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    candidates = [
        ChatGeneration(message=AIMessage(text, usage_metadata=usage, response_metadata={"finish_reason": reason}))
        for text, reason in (("a", "stop"), ("b", "length"))
    ]
    found = end_attributes(OPENAI, candidates, None, False)
    assert found["gen_ai.response.finish_reasons"] == ("stop", "length")
    assert found["gen_ai.usage.output_tokens"] == 5


def test_a_completion_says_what_it_used_beside_its_text() -> None:
    generation = Generation(text="hi", generation_info={"finish_reason": "stop"})
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    found = end_attributes(OPENAI, [generation], {"token_usage": usage, "model_name": "gpt-4o"}, True)
    assert found["gen_ai.usage.input_tokens"] == 10
    assert found["gen_ai.response.model"] == "gpt-4o"
    assert found["gen_ai.response.finish_reasons"] == ("stop",)
    assert found["mas.cost.usd"] == pytest.approx(10 * 2.5e-6 + 5 * 1e-5)
    assert found["mas.cost.simulated"] is True


def test_ids_that_langchain_makes_up_are_no_response_ids() -> None:
    made_up = ChatGeneration(message=AIMessage("hi", id="lc_run--0190"))
    given = ChatGeneration(message=AIMessage("hi", id="msg_1"))
    assert "gen_ai.response.id" not in end_attributes(OPENAI, [made_up], None, False)
    assert end_attributes(OPENAI, [given], None, False)["gen_ai.response.id"] == "msg_1"
