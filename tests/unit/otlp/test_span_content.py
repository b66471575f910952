"""Content on spans is read as it was stored, each message under its own digest, and what was cut is never another's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.model import Event, Scope, Span, SpanBody, StatusCode
from otel_mas.model.fit import fit, fit_messages, left_out
from otel_mas.otlp.span_content import TraceContent, digest_of
from otel_mas.semconv import attributes as names


def carrying(attributes: dict[str, Any], events: tuple[Event, ...] = (), scope: str = "other") -> Span:
    body = SpanBody(attributes=attributes, events=events)
    ids = {"trace_id": "aa" * 16, "span_id": "bb" * 8, "parent_span_id": None}
    return Span.complete(body, **ids, name="n", start_ns=1, end_ns=9, scope=Scope(scope), status=StatusCode.UNSET)


def text(role: str, content: str) -> dict[str, Any]:
    return {"role": role, "parts": [{"type": "text", "content": content}]}


def read(*spans: Span) -> TraceContent:
    return TraceContent.of(spans)


@given(
    st.integers(0, 3),
    st.lists(st.text("ab", max_size=300), min_size=1, max_size=30),
    st.integers(300, 20_000),
    st.integers(0, 5),
)
def test_each_message_has_the_digest_of_its_place(systems: int, texts: list[str], limit: int, between: int) -> None:
    roles = ["system"] * systems + ["user", "assistant"] * len(texts)
    messages = [text(role, f"{place}: {words}") for place, (role, words) in enumerate(zip(roles, texts, strict=False))]
    digests = tuple(f"{place:032x}" for place in range(len(messages)))
    # As `otel_mas.store.content` writes them: some are left out between the first and the latest.
    kept = [*messages[:1], left_out((), between), *messages[1 + between :]] if 0 < between < len(messages) else messages
    known, instructions = list(kept), []
    while known and known[0]["role"] == "system":
        instructions += known.pop(0)["parts"]
    attributes: dict[str, Any] = {names.MAS_INPUT_MESSAGES: digests}
    if instructions:
        attributes[names.GEN_AI_SYSTEM_INSTRUCTIONS] = fit(instructions, limit)[0]
    if known:
        attributes[names.GEN_AI_INPUT_MESSAGES], cut = fit_messages(known, limit)
        if cut:
            attributes[names.MAS_CONTENT_CUT] = (names.GEN_AI_INPUT_MESSAGES,)

    found = read(carrying(attributes))

    assert [one.digest for one in found.refs] == list(digests)
    for digest, message in found.messages.items():
        place = int(digest, 16)
        assert message.role == messages[place]["role"]
        assert message.body is not None
        assert message.body["parts"][0]["content"].startswith(f"{place}:")
    if kept is messages and limit == 20_000:
        assert [found.messages[digest].body for digest in digests] == messages


def test_a_whole_message_goes_before_a_cut_one_whichever_span_comes_first() -> None:
    whole = carrying(
        {names.MAS_OUTPUT_MESSAGES: ("0a" * 16,), names.GEN_AI_OUTPUT_MESSAGES: json.dumps([text("user", "x" * 900)])}
    )
    cut = carrying(
        {
            names.MAS_INPUT_MESSAGES: ("0a" * 16,),
            names.GEN_AI_INPUT_MESSAGES: json.dumps([text("user", "xxx… (cut: 897 more characters)")]),
            names.MAS_CONTENT_CUT: (names.GEN_AI_INPUT_MESSAGES,),
        }
    )

    for spans in ((whole, cut), (cut, whole)):
        assert read(*spans).messages["0a" * 16].body == text("user", "x" * 900)


def test_the_reason_for_the_end_is_no_content_and_a_file_of_ours_is_a_blob_again() -> None:
    part = {"type": "file", "modality": "image", "digest": "ff", "file_id": "blake2b:ff"}
    message = {"role": "assistant", "parts": [part], "finish_reason": "stop"}
    span = carrying({names.MAS_OUTPUT_MESSAGES: ("0a" * 16,), names.GEN_AI_OUTPUT_MESSAGES: json.dumps([message])})

    assert read(span).messages["0a" * 16].body == {
        "role": "assistant",
        "parts": [{"type": "blob", "modality": "image", "digest": "ff"}],
    }


@pytest.mark.parametrize(
    "attributes",
    [
        {
            names.GEN_AI_SYSTEM_INSTRUCTIONS: '[{"type": "text", "content": "Be brief."}]',
            names.GEN_AI_INPUT_MESSAGES: json.dumps([text("user", "hé")]),
            names.GEN_AI_OUTPUT_MESSAGES: json.dumps([text("assistant", "hi") | {"finish_reason": "stop"}]),
        },
        {
            names.GEN_AI_SYSTEM_INSTRUCTIONS: ({"type": "text", "content": "Be brief."},),
            names.GEN_AI_INPUT_MESSAGES: ({"role": "user", "parts": ({"type": "text", "content": "hé"},)},),
            names.GEN_AI_OUTPUT_MESSAGES: ({"role": "assistant", "content": "hi"},),
        },
        {
            "llm.input_messages.0.message.role": "system",
            "llm.input_messages.0.message.content": "Be brief.",
            "llm.input_messages.1.message.role": "user",
            "llm.input_messages.1.message.contents.0.message_content.type": "text",
            "llm.input_messages.1.message.contents.0.message_content.text": "hé",
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": "hi",
        },
        {
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "Be brief.",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": '[{"type": "text", "text": "hé"}]',
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "hi",
            "gen_ai.completion.0.finish_reason": "stop",
        },
    ],
    ids=["OpenTelemetry", "OpenTelemetry, structured", "OpenInference", "OpenLLMetry"],
)
def test_the_same_messages_have_the_same_digests_in_every_vocabulary(attributes: dict[str, Any]) -> None:
    found = read(carrying(attributes))
    expected = [
        ("input", text("system", "Be brief.")),
        ("input", text("user", "hé")),
        ("output", text("assistant", "hi")),
    ]

    assert [(one.direction, found.messages[one.digest].body) for one in found.refs] == expected
    assert [one.digest for one in found.refs] == [digest_of(message) for _, message in expected]
    assert found.contents == {}


def test_messages_on_an_event_are_those_of_the_span() -> None:
    event = Event(
        "gen_ai.client.inference.operation.details", 5, {names.GEN_AI_INPUT_MESSAGES: '[{"role": "user", "parts": []}]'}
    )

    assert [(one.direction, one.position) for one in read(carrying({}, (event,))).refs] == [("input", 0)]


def test_calls_and_their_results_are_parts() -> None:
    found = read(
        carrying(
            {
                "llm.input_messages.0.message.role": "tool",
                "llm.input_messages.0.message.tool_call_id": "c1",
                "llm.input_messages.0.message.content": "sunny",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.tool_calls.0.id": "c2",
                "gen_ai.completion.0.tool_calls.0.name": "weather",
                "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Rome"}',
            }
        )
    )

    assert [message.body for message in found.messages.values()] == [
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "sunny"}]},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "c2", "name": "weather", "arguments": {"city": "Rome"}}],
        },
    ]


@pytest.mark.parametrize("broken", ["{", '"x"', "[1, null]", '[{"role": 3}]', '{"role": "user"}', 7, None, b"x"])
def test_what_is_no_list_of_messages_is_none(broken: Any) -> None:
    digests = {names.MAS_INPUT_MESSAGES: ("0a" * 16,), names.MAS_OUTPUT_MESSAGES: ("0b" * 16,)}
    given_ = {
        names.GEN_AI_INPUT_MESSAGES: broken,
        names.GEN_AI_OUTPUT_MESSAGES: broken,
        names.GEN_AI_SYSTEM_INSTRUCTIONS: broken,
    }

    found = read(carrying({**digests, **given_}), carrying(given_))

    assert [one.digest for one in found.refs][:2] == ["0a" * 16, "0b" * 16]


def test_of_a_span_of_ours_only_names_of_the_registry_are_content() -> None:
    attributes = {"question": "why?", names.GEN_AI_TOOL_CALL_RESULT: "no JSON", names.MAS_ROUTING_REASON: "[1]"}

    own = read(carrying(attributes, scope="otel_mas")).contents["bb" * 8]
    foreign = read(carrying(attributes)).contents["bb" * 8]

    assert {one.name: one.value for one in own} == {
        names.GEN_AI_TOOL_CALL_RESULT: "no JSON",
        names.MAS_ROUTING_REASON: "[1]",
    }
    assert {one.name for one in foreign} == {one.name for one in own} | {"question"}
