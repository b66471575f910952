"""Images, sounds and files in a replay: their bytes are not kept, and what stands in for them is known again."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool

import otel_mas
from otel_mas.record import stand_in, without_media
from tests.accuracy.topologies.model import ScriptedModel

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4).decode()
BLOCKS: dict[str, dict[str, Any]] = {
    "standard": {"type": "image", "base64": PICTURE, "mime_type": "image/png"},
    "openai": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
    "anthropic": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}},
    "generated": {"type": "image_generation_call", "id": "ig_1", "result": PICTURE},
    "sound": {"type": "audio", "base64": PICTURE, "mime_type": "audio/wav"},
}


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path))
    yield path
    otel_mas.shutdown()


def replayed(run: Any, store: Path) -> Any:
    """What a replay of a function returns, and what it returned when it was recorded."""
    with otel_mas.workflow("pictures"):
        first = run()
    otel_mas.flush()
    with otel_mas.replay("latest", source=store) as session, otel_mas.workflow("pictures"):
        again = run()
    assert (session.missed, session.live) == (0, 0)
    return first, again


@pytest.mark.parametrize("kind", BLOCKS)
@pytest.mark.parametrize("streamed", [False, True])
def test_a_picture_that_a_model_answered_is_sent_back_to_it(kind: str, streamed: bool, store: Path) -> None:
    def script(messages: Any) -> Any:
        return AIMessage([{"type": "text", "text": "here"}, BLOCKS[kind]]) if len(messages) == 1 else "nicer"

    def run() -> Any:
        model = ScriptedModel(script=script)
        asked: list[Any] = [HumanMessage("draw")]
        picture = model.invoke(asked)
        if streamed:
            return [str(chunk.content) for chunk in model.stream([*asked, picture, HumanMessage("nicer")])]
        return model.invoke([*asked, picture, HumanMessage("nicer")]).content

    first, again = replayed(run, store)

    assert first == again


@pytest.mark.parametrize("kind", BLOCKS)
def test_a_picture_of_a_tool_is_sent_to_a_model(kind: str, store: Path) -> None:
    @tool
    def screenshot(page: str) -> Any:
        """Look at a page."""
        return [{"type": "text", "text": page}, BLOCKS[kind]]

    def run() -> Any:
        call: Any = {"type": "tool_call", "name": "screenshot", "args": {"page": "start"}, "id": "call_1"}
        seen = screenshot.invoke(call)
        assert isinstance(seen, ToolMessage)
        asked = [HumanMessage("look"), AIMessage("", tool_calls=[call]), seen]
        return ScriptedModel(script=lambda messages: f"{len(messages)} messages").invoke(asked).content

    first, again = replayed(run, store)

    assert first == again == "3 messages"


def test_what_stands_in_for_a_picture_has_its_form(store: Path) -> None:
    def run() -> Any:
        blocks = [BLOCKS["standard"], BLOCKS["openai"]]
        return ScriptedModel(script=lambda _: AIMessage(blocks)).invoke("draw").content

    _, (standard, openai) = replayed(run, store)

    assert standard.keys() == BLOCKS["standard"].keys()
    assert openai["image_url"]["url"].startswith("data:image/png;base64,")
    assert base64.b64decode(standard["base64"], validate=True).startswith(b"blake2b:")


def test_different_pictures_are_different_requests(store: Path) -> None:
    def block(colour: str) -> dict[str, Any]:
        return {"type": "image", "base64": base64.b64encode(colour.encode() * 400).decode(), "mime_type": "image/png"}

    def script(messages: Any) -> str:
        return base64.b64decode(messages[0].content[0]["base64"])[:3].decode()

    order = ["red", "tan"]

    def run() -> list[str]:
        answers = {one: ScriptedModel(script=script).invoke([HumanMessage([block(one)])]).content for one in order}
        order.reverse()
        return sorted(f"{one}: {answer}" for one, answer in answers.items())

    first, again = replayed(run, store)

    assert first == again == ["red: red", "tan: tan"]


@given(data=st.binary(min_size=1, max_size=3000), key=st.sampled_from(["data", "base64", "text"]))
def test_stand_ins_are_recorded_as_the_media_that_they_stand_for(data: bytes, key: str) -> None:
    found = without_media(data)

    assert without_media(base64.b64decode(stand_in(found))) == found
    assert without_media({key: stand_in(found)}) == {key: found}


@given(rest=st.one_of(st.binary(max_size=400), st.builds(lambda value: json.dumps(value).encode(), st.text())))
def test_bytes_that_only_begin_as_a_stand_in_have_their_own_digest(rest: bytes) -> None:
    found = without_media(b"blake2b:" + rest)

    assert found["size"] == 8 + len(rest)
