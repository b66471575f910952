"""What a message says, whatever shape its provider gives it."""

from __future__ import annotations

import base64
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from otel_mas.instrumentation.langchain.messages import MESSAGES, Plain, message_parts, modalities, role_of
from otel_mas.record import canonical_form, without_media

HELLO = base64.b64encode(b"hello").decode()
IMAGES: list[dict[str, Any]] = [
    {"type": "image", "base64": HELLO, "mime_type": "image/png"},
    {"type": "image", "source_type": "base64", "data": HELLO, "mime_type": "image/png"},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{HELLO}"}},
    {"type": "image_url", "image_url": f"data:image/png;base64,{HELLO}"},
    {"type": "input_image", "image_url": f"data:image/png;base64,{HELLO}"},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": HELLO}},
    {"type": "media", "mime_type": "image/png", "data": HELLO},
    {"type": "media", "mime_type": "image/png", "data": b"hello"},
]


@pytest.mark.parametrize("block", IMAGES)
def test_one_image_has_one_canonical_form_in_every_dialect(block: dict[str, Any]) -> None:
    assert canonical(HumanMessage([block])) == canonical(HumanMessage([IMAGES[0]]))


@pytest.mark.parametrize("block", IMAGES)
def test_media_is_never_stored(block: dict[str, Any]) -> None:
    (part,) = stored(HumanMessage([block]))["parts"]
    digest = part.pop("digest")
    assert len(digest) == 32
    assert part == {"type": "blob", "modality": "image", "mime_type": "image/png", "size": 5}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"type": "image_url", "image_url": {"url": "https://x/y.png"}}, ("uri", "image")),
        ({"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}, ("uri", "image")),
        ({"type": "image", "file_id": "f-1"}, ("file", "image")),
        ({"type": "image", "source_type": "id", "id": "f-1"}, ("file", "image")),
        ({"type": "input_audio", "input_audio": {"data": HELLO, "format": "wav"}}, ("blob", "audio")),
        ({"type": "audio", "base64": HELLO, "mime_type": "audio/wav"}, ("blob", "audio")),
        ({"type": "video", "url": "https://x/y.mp4"}, ("uri", "video")),
        ({"type": "media", "mime_type": "video/mp4", "file_uri": "gs://x/y"}, ("uri", "video")),
        ({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{HELLO}"}}, ("blob", "file")),
        ({"type": "file", "file": {"file_id": "f-1"}}, ("file", "file")),
        ({"type": "file", "source_type": "base64", "data": HELLO, "mime_type": "application/pdf"}, ("blob", "file")),
        ({"type": "document", "source": {"type": "file", "file_id": "f-1"}}, ("file", "file")),
    ],
)
def test_a_media_block_is_a_part_with_its_modality(block: dict[str, Any], expected: tuple[str, str]) -> None:
    (part,) = message_parts(HumanMessage([block]))
    assert (part["type"], part["modality"]) == expected


def test_text_is_the_same_as_one_block_of_it() -> None:
    forms = ["hi", ["hi"], [{"type": "text", "text": "hi"}], [{"type": "output_text", "text": "hi", "annotations": []}]]
    assert len({canonical(AIMessage(form)) for form in forms}) == 1  # type: ignore[arg-type]


def test_a_repeated_tool_call_is_one_part() -> None:
    calls = [{"name": "f", "args": {"a": 1, "b": 2}, "id": "1", "type": "tool_call"}]
    openai = AIMessage("", tool_calls=calls)
    anthropic = AIMessage([{"type": "tool_use", "id": "1", "name": "f", "input": {"b": 2, "a": 1}}], tool_calls=calls)
    streamed = AIMessageChunk(
        [{"type": "tool_use", "id": "1", "name": "f", "input": {}, "index": 1}, {"type": "input_json_delta"}],
        tool_call_chunks=[{"name": "f", "args": '{"b": 2, "a": 1}', "id": "1", "index": 1, "type": "tool_call_chunk"}],
    )
    assert canonical(openai) == canonical(anthropic) == canonical(streamed)
    assert message_parts(openai) == [{"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1, "b": 2}}]


def test_a_broken_tool_call_keeps_what_the_model_wrote() -> None:
    broken = {"name": "f", "args": '{"a": ', "id": "1", "error": "no JSON", "type": "invalid_tool_call"}
    (part,) = message_parts(AIMessage("", invalid_tool_calls=[broken]))
    assert part == {"type": "tool_call", "id": "1", "name": "f", "arguments": '{"a": '}


def test_a_tools_answer_names_the_call_and_may_hold_media() -> None:
    (plain,) = message_parts(ToolMessage("fine", tool_call_id="1"))
    assert plain == {"type": "tool_call_response", "id": "1", "response": "fine"}
    picture = ToolMessage([{"type": "text", "text": "see"}, IMAGES[0]], tool_call_id="1")  # type: ignore[list-item]
    (part,) = stored(picture)["parts"]
    assert [inner["type"] for inner in part["response"]] == ["text", "blob"]
    assert HELLO not in str(part)
    assert modalities([picture]) == ("text", "image")


def test_reasoning_is_a_part_of_its_own() -> None:
    forms: list[Any] = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "reasoning_content", "reasoning_content": {"text": "hm", "signature": "s"}},
    ]
    assert all(message_parts(AIMessage([form])) == [{"type": "reasoning", "content": "hm"}] for form in forms)


def test_an_unknown_block_is_kept_without_its_position_in_the_stream() -> None:
    block = {"type": "citation_card", "index": 3, "cards": [{"n": 1}], "data": "short"}
    (part,) = stored(AIMessage([block]))["parts"]
    assert part == {"type": "citation_card", "cards": [{"n": 1}], "data": "short"}


def test_media_inside_an_unknown_block_is_not_stored() -> None:
    inline = base64.b64encode(bytes(1000)).decode()
    (part,) = stored(AIMessage([{"type": "new", "inner": {"data": inline}, "url": f"data:x;,{inline}"}]))["parts"]
    assert inline not in str(part)
    assert part["inner"]["data"]["size"] == 1000


def test_roles_are_those_of_the_conventions() -> None:
    messages = [
        HumanMessage("x"),
        AIMessage("x"),
        AIMessageChunk("x"),
        SystemMessage("x"),
        ToolMessage("x", tool_call_id="1"),
        FunctionMessage("x", name="f"),
        ChatMessage("x", role="critic"),
        Plain("user", "x"),
    ]
    roles = ["user", "assistant", "assistant", "system", "tool", "tool", "critic", "user"]
    assert [role_of(message) for message in messages] == roles


def test_name_id_and_usage_do_not_count() -> None:
    plain = AIMessage("hi")
    usage: Any = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    named = AIMessage("hi", name="bob", id="7", usage_metadata=usage)
    assert canonical(plain) == canonical(named)


def canonical(message: Any) -> bytes:
    return canonical_form(*MESSAGES.read(message))


def stored(message: Any) -> dict[str, Any]:
    role, parts = MESSAGES.read(message)
    return {"role": role, "parts": list(map(without_media, parts))}


def edited(message: BaseMessage, edit: Any) -> tuple[object, object]:
    before = MESSAGES.fingerprint(message)
    edit(message)
    return before, MESSAGES.fingerprint(message)


CALL = {"name": "f", "args": {"a": [1, {"b": 2}]}, "id": "1", "type": "tool_call"}


@pytest.mark.parametrize(
    ("message", "edit"),
    [
        (HumanMessage("a"), lambda m: setattr(m, "content", "b")),
        (AIMessage("a"), lambda m: setattr(m, "content", "b")),
        (AIMessage("a"), lambda m: m.tool_calls.append(CALL)),
        (AIMessage("", tool_calls=[CALL]), lambda m: m.tool_calls[0]["args"]["a"][1].update(b=3)),
        (HumanMessage([{"type": "text", "text": "a"}]), lambda m: m.content[0].update(text="b")),
        (ToolMessage("a", tool_call_id="1"), lambda m: setattr(m, "tool_call_id", "2")),
        (ChatMessage("a", role="x"), lambda m: setattr(m, "role", "y")),
    ],
)
def test_a_fingerprint_changes_with_the_message(message: BaseMessage, edit: Any) -> None:
    before, after = edited(message.model_copy(deep=True), edit)
    assert before is not None
    assert before != after
    assert hash(before) is not None


def test_who_says_the_same_is_part_of_the_fingerprint() -> None:
    messages = [HumanMessage("a"), AIMessage("a"), SystemMessage("a")]
    assert len({MESSAGES.fingerprint(message) for message in messages}) == 3


def test_what_cannot_be_compared_has_no_fingerprint() -> None:
    assert MESSAGES.fingerprint(HumanMessage([{"type": "x", "value": object()}])) is None
    assert MESSAGES.fingerprint(Plain("user", "x")) is None


def rows() -> list[dict[str, Any]]:
    return [{"i": number, "v": "x"} for number in range(100_000)]


def calling(arguments: dict[str, Any]) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "f", "args": arguments, "id": "1", "type": "tool_call"}])


def test_a_large_message_is_known_by_a_sample_of_it() -> None:
    message = calling({"rows": rows()})
    before = MESSAGES.fingerprint(message)
    assert before == MESSAGES.fingerprint(message)
    assert len(repr(before)) < 10_000
    seen = [
        edited(message, lambda m: m.tool_calls[0]["args"]["rows"][0].update(v="y")),
        edited(message, lambda m: m.tool_calls[0]["args"]["rows"][-1].update(v="y")),
        edited(message, lambda m: m.tool_calls[0]["args"]["rows"].pop()),
        edited(message, lambda m: m.tool_calls[0]["args"].update(rows=[*message.tool_calls[0]["args"]["rows"]])),
    ]
    assert all(one != other for one, other in seen)


def test_of_a_large_message_a_part_is_read_and_the_rest_counted() -> None:
    one, same, shorter = (canonical(calling({"rows": taken})) for taken in (rows(), rows(), rows()[:-1]))
    assert one == same != shorter
    assert len(one) < 1_000_000
    assert "cut by otel-mas: 9" in stored(calling({"rows": rows()}))["parts"][0]["arguments"]["rows"][-1]


def test_numbers_that_json_cannot_hold_count_as_what_they_are() -> None:
    text = '{"a": 100000000000000000000, "b": NaN}'
    assert canonical(calling({"a": 10**20, "b": math.nan})) == canonical_form(
        "assistant", [{"type": "tool_call", "id": "1", "name": "f", "arguments": text}]
    )


@given(st.text(min_size=1), st.sampled_from([HumanMessage, SystemMessage, AIMessage]))
def test_the_quick_way_for_texts_gives_the_specified_form(text: str, kind: type[BaseMessage]) -> None:
    message = kind(text)
    assert MESSAGES.read(message) == (role_of(message), message_parts(message))
    assert stored(message)["parts"] == message_parts(message)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(st.text() | st.dictionaries(st.text(), json_values, max_size=4), max_size=4))
def test_any_content_has_a_form_and_a_snapshot(content: list[Any]) -> None:
    message = HumanMessage(content)
    assert canonical(message)
    assert stored(message)["role"] == "user"
    MESSAGES.fingerprint(message)
    assert modalities([message])
