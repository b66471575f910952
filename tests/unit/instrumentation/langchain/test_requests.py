"""What a span says about a call before it is made."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from otel_mas.instrumentation.langchain.requests import start_attributes, target
from otel_mas.semconv.enums import Operation


def attributes_of(metadata: dict[str, Any], params: dict[str, Any], fields: dict[str, Any] | None = None) -> Any:
    called = target(Operation.CHAT, {"kwargs": fields or {}}, metadata, params)
    return start_attributes(called, metadata, params, {}, [HumanMessage("hi")])


@pytest.mark.parametrize(
    ("langchain_name", "provider"),
    [
        ("openai", "openai"),
        ("azure", "azure.ai.openai"),
        ("anthropic", "anthropic"),
        ("google_genai", "gcp.gemini"),
        ("google_vertexai", "gcp.vertex_ai"),
        ("amazon_bedrock", "aws.bedrock"),
        ("mistral", "mistral_ai"),
        ("xai", "x_ai"),
        ("ollama", "ollama"),
    ],
)
def test_providers_have_their_conventional_names(langchain_name: str, provider: str) -> None:
    assert attributes_of({"ls_provider": langchain_name}, {})["gen_ai.provider.name"] == provider


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com/v1", ("api.example.com", 443)),
        ("http://[::1]:8080/v1", ("::1", 8080)),
        ("localhost:11434", ("localhost", 11434)),
        ("http://user:secret@host/", ("host", 80)),
        ("http://host:notaport", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_server_is_read_from_the_endpoint(url: str, expected: tuple[str | None, int | None]) -> None:
    found = attributes_of({}, {}, {"base_url": url})
    assert (found.get("server.address"), found.get("server.port")) == expected


def test_parameters_have_their_conventional_names_and_types() -> None:
    found = attributes_of(
        {"ls_temperature": 0.9, "ls_stop": ["Z"]},
        {"temperature": 1, "top_p": 0.5, "top_k": 3, "max_completion_tokens": 9, "n": 2, "stop": None, "seed": True},
    )
    assert found["gen_ai.request.temperature"] == 1.0
    assert isinstance(found["gen_ai.request.temperature"], float)
    assert found["gen_ai.request.top_p"] == 0.5
    assert found["gen_ai.request.top_k"] == 3
    assert found["gen_ai.request.max_tokens"] == 9
    assert found["gen_ai.request.choice.count"] == 2
    assert found["gen_ai.request.stop_sequences"] == ("Z",)
    assert "gen_ai.request.seed" not in found


def test_the_model_of_a_call_may_differ_from_the_models_own() -> None:
    first = target(Operation.CHAT, None, {"ls_model_name": "a"}, {})
    second = target(Operation.CHAT, None, {"ls_model_name": "b"}, {})
    assert (first.name, second.name) == ("chat a", "chat b")
    assert target(Operation.CHAT, None, {}, {}).name == "chat"


def test_attributes_of_one_call_do_not_reach_the_next() -> None:
    attributes_of({"ls_model_name": "a"}, {"seed": 1})
    assert "gen_ai.request.seed" not in attributes_of({"ls_model_name": "a"}, {})
