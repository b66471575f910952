"""What a model says it used, in the shapes of the integrations."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, Generation

from otel_mas.instrumentation.langchain.requests import Target
from otel_mas.instrumentation.langchain.responses import end_attributes

OPENAI = Target("chat gpt-4o", "openai", "gpt-4o", {})


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


def test_a_completions_usage_is_read_from_its_metadata() -> None:
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


def test_names_that_a_stream_repeats_are_names_once() -> None:
    """langchain#38366: LangChain joins the texts of chunks, names included."""
    metadata = {"model_name": "gpt-4o-2024-08-06" * 3, "finish_reason": "stop" * 3, "id": "chatcmpl-7" * 2}
    generation = ChatGeneration(message=AIMessage("hi", response_metadata=metadata))
    found = end_attributes(OPENAI, [generation], None, False, streamed=True)
    assert found["gen_ai.response.model"] == "gpt-4o-2024-08-06"
    assert found["gen_ai.response.finish_reasons"] == ("stop",)
    assert found["gen_ai.response.id"] == "chatcmpl-7"


def test_other_names_stay_as_they_are() -> None:
    for name in ("gpt-4o", "aa", "o1o1-mini", "stopped"):
        generation = ChatGeneration(message=AIMessage("hi", response_metadata={"model_name": name}))
        assert end_attributes(OPENAI, [generation], None, False, streamed=True)["gen_ai.response.model"] == name
    generation = ChatGeneration(message=AIMessage("hi", response_metadata={"model_name": "bonbon"}))
    assert end_attributes(OPENAI, [generation], None, False)["gen_ai.response.model"] == "bonbon"
