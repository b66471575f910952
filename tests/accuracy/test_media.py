"""Images, sounds, films and files are told by digest, media type and size; not a byte of them is stored or exported."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import otel_mas
from otel_mas.record.sdk import provider
from otel_mas.semconv import attributes as names

PLANTED = b"planted-in-the-bytes-of-a-file/"
PICTURE = b"\x89PNG\r\n\x1a\n" + PLANTED * 50
SOUND = b"RIFF\x00\x00\x00\x00WAVE" + PLANTED * 50
FILM = b"\x00\x00\x00\x18ftypmp42" + PLANTED * 50
PAPER = b"%PDF-1.7\n" + PLANTED * 50
UNKNOWN = b"no known format\x00\xff\x10\x80" + PLANTED * 50
CALL = {"name": "look", "args": {}, "id": "call-1", "type": "tool_call"}


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url(mime: str, data: bytes) -> str:
    return f"data:{mime};base64,{text(data)}"


BLOCKS: dict[str, tuple[str, dict[str, Any]]] = {
    "v0 image": ("image", {"type": "image", "source_type": "base64", "data": text(PICTURE), "mime_type": "image/png"}),
    "v1 image": ("image", {"type": "image", "base64": text(PICTURE), "mime_type": "image/png"}),
    "v1 audio": ("audio", {"type": "audio", "base64": text(SOUND), "mime_type": "audio/wav"}),
    "v1 video": ("video", {"type": "video", "base64": text(FILM), "mime_type": "video/mp4"}),
    "v1 file": ("file", {"type": "file", "base64": text(PAPER), "mime_type": "application/pdf"}),
    "OpenAI image": ("image", {"type": "image_url", "image_url": {"url": url("image/png", PICTURE)}}),
    "OpenAI input image": ("image", {"type": "input_image", "image_url": url("image/png", PICTURE)}),
    "OpenAI audio": ("audio", {"type": "input_audio", "input_audio": {"data": text(SOUND), "format": "wav"}}),
    "OpenAI file": (
        "file",
        {"type": "file", "file": {"filename": "a", "file_data": url("application/pdf", PAPER)}},
    ),
    "Anthropic image": (
        "image",
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": text(PICTURE)}},
    ),
    "Anthropic document": (
        "file",
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": text(PAPER)}},
    ),
    "Google media": ("video", {"type": "media", "mime_type": "video/mp4", "data": text(FILM)}),
    "Google inline data": ("image", {"inline_data": {"mime_type": "image/png", "data": PICTURE}}),
    "Bedrock image": ("image", {"image": {"format": "png", "source": {"bytes": PICTURE}}}),
    "Bedrock document": ("file", {"document": {"format": "pdf", "name": "a", "source": {"bytes": PAPER}}}),
}
# As it may stand in text, wherever it begins within three bytes, and raw.
TRACES = [PLANTED[:24], *(base64.b64encode(b"x" * shift + PLANTED)[4:24] for shift in range(3))]


@pytest.fixture(params=["redacted", "full"])
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, InMemorySpanExporter]]:
    path, exporter = tmp_path / "runs.db", InMemorySpanExporter()
    otel_mas.instrument(store=str(path), content=request.param)
    sdk: Any = provider.tracer()
    getattr(sdk, "sdk", sdk).span_processor.add_span_processor(SimpleSpanProcessor(exporter))
    yield path, exporter
    otel_mas.shutdown(30)


def nothing_planted(store: Path, exporter: InMemorySpanExporter) -> None:
    assert otel_mas.flush(30)
    assert exporter.get_finished_spans()
    places = {file.name: file.read_bytes() for file in store.parent.iterdir() if file.is_file()}
    places["exported"] = "".join(span.to_json() for span in exporter.get_finished_spans()).encode()
    for name, data in places.items():
        for trace in TRACES:
            assert trace not in data, (name, trace)


@pytest.mark.parametrize("form", BLOCKS)
def test_a_model_is_given_media(form: str, recorded: tuple[Path, InMemorySpanExporter]) -> None:
    modality, block = BLOCKS[form]
    FakeListChatModel(responses=["nice"]).invoke([HumanMessage([{"type": "text", "text": "look"}, block])])
    nothing_planted(*recorded)
    with otel_mas.open(recorded[0]) as source:
        trace = source.latest()
        (span,) = trace.spans
        (message,) = trace.messages(span).input
    assert span.get(names.MAS_INPUT_MODALITIES) == ("text", modality)
    assert message.body is not None
    (part,) = [part for part in message.body["parts"] if part["type"] != "text"]
    assert part["type"] == "blob"
    assert len(part["digest"]) == 32
    assert part["size"] > 1500
    assert part["mime_type"] in ("image/png", "audio/wav", "video/mp4", "application/pdf")


class State(TypedDict, total=False):
    picture: Any
    note: str


@pytest.mark.parametrize(
    "given",
    [
        PICTURE,
        text(PICTURE),
        text(UNKNOWN),
        url("image/png", PICTURE),
        {"inner": [{"data": text(UNKNOWN)}]},
        f"see ![it]({url('image/png', PICTURE)}) here",
    ],
    ids=["bytes", "base64", "unknown base64", "url", "nested", "in Markdown"],
)
def test_tools_states_and_prompts_have_media(given: Any, recorded: tuple[Path, InMemorySpanExporter]) -> None:
    @tool
    def look(at: Any) -> Any:
        """Look."""
        return given

    def node(state: State) -> State:
        look.invoke({"at": given})
        FakeListChatModel(responses=["nice"]).invoke([HumanMessage(given if isinstance(given, str) else "hm")])
        return {"picture": given, "note": "seen"}

    graph = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    graph.compile().invoke({"picture": given})
    nothing_planted(*recorded)


def test_a_tool_answers_with_media(recorded: tuple[Path, InMemorySpanExporter]) -> None:
    @tool
    def look() -> Any:
        """Look."""
        return [{"type": "text", "text": "here"}, BLOCKS["v1 image"][1]]

    answer = look.invoke(CALL)
    assert isinstance(answer, ToolMessage)
    nothing_planted(*recorded)
    with otel_mas.open(recorded[0]) as source:
        (span,) = source.latest().spans
    assert span.get(names.MAS_OUTPUT_MODALITIES) == ("text", "image")
