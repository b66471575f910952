"""Content of messages leaves with shipped spans only where a setting asks for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from otel_mas.otlp.decode import decode_body
from otel_mas.semconv import attributes as names
from tests.unit.exporters.conftest import HttpServer

REPOSITORY = Path(__file__).parents[2]
APP = """
import otel_mas
otel_mas.instrument()
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

@tool
def search(query: str) -> str:
    "Searches."
    return "SAID result"

call = {"name": "search", "args": {"query": "SAID arguments"}, "id": "call_1"}
model = GenericFakeChatModel(messages=iter([AIMessage("", tool_calls=[call]), AIMessage("SAID answer")]))

def chat(state):
    return {"messages": [model.invoke([SystemMessage("SAID instructions"), *state["messages"]])]}

graph = StateGraph(MessagesState)
graph.add_node("chat", chat)
graph.add_node("tools", ToolNode([search]))
graph.add_edge(START, "chat")
graph.add_conditional_edges("chat", lambda state: "tools" if state["messages"][-1].tool_calls else END)
graph.add_edge("tools", "chat")
picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBORw0KGgo" * 40}}
question = HumanMessage([{"type": "text", "text": "SAID question password=hunter2"}, picture])
graph.compile().invoke({"messages": [question]})
try:
    raise ValueError("SAID error")
except ValueError as error:
    with otel_mas.task("fails"):
        raise
"""
INSTRUCTIONS = [{"type": "text", "content": "SAID instructions"}]
ASKED = {
    "role": "assistant",
    "parts": [{"type": "tool_call", "id": "call_1", "name": "search", "arguments": {"query": "SAID arguments"}}],
}
RESULT = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "call_1", "response": "SAID result"}]}
ANSWER = {"role": "assistant", "parts": [{"type": "text", "content": "SAID answer"}]}


@pytest.fixture
def server() -> Iterator[HttpServer]:
    started = HttpServer().start()
    yield started
    started.stop()


def run(folder: Path, *arguments: str, **environ: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    settings = {"OTEL_MAS_STORE": str(folder / "runs.db"), "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, *arguments]
    subprocess.run(command, env=inherited | settings | environ, cwd=folder, capture_output=True, timeout=300)


def by_name(spans: list[Span]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for span in sorted(spans, key=lambda span: span.start_time_unix_nano):
        found.setdefault(span.name.split()[0], []).append(decode_body(span.SerializeToString()).attributes)
    return found


def received(server: HttpServer) -> list[Span]:
    messages = [TracesData.FromString(request.body) for request in server.requests]
    return [
        span for data in messages for one in data.resource_spans for scope in one.scope_spans for span in scope.spans
    ]


def test_content_that_is_asked_for_is_on_shipped_spans_as_the_conventions_have_it(
    tmp_path: Path, server: HttpServer
) -> None:
    asked = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY", "OTEL_MAS_EXPORT": "otlp,file:archive"}
    run(tmp_path, "-c", APP, **asked, OTEL_EXPORTER_OTLP_ENDPOINT=server.url)

    found = by_name(received(server))
    first, second = found["chat"]
    assert json.loads(first[names.GEN_AI_SYSTEM_INSTRUCTIONS]) == INSTRUCTIONS
    (question,) = json.loads(first[names.GEN_AI_INPUT_MESSAGES])
    text, picture = question["parts"]
    assert (question["role"], text["content"]) == ("user", "SAID question password=[redacted]")
    assert (picture["type"], picture["modality"], picture["mime_type"]) == ("file", "image", "image/png")
    assert picture["file_id"] == f"blake2b:{picture['digest']}"
    assert json.loads(first[names.GEN_AI_OUTPUT_MESSAGES]) == [ASKED]
    assert json.loads(second[names.GEN_AI_INPUT_MESSAGES]) == [question, ASKED, RESULT]
    assert json.loads(second[names.GEN_AI_OUTPUT_MESSAGES]) == [ANSWER]
    (tool,) = found["execute_tool"]
    assert json.loads(tool[names.GEN_AI_TOOL_CALL_ARGUMENTS]) == {"query": "SAID arguments"}
    assert "SAID result" in tool[names.GEN_AI_TOOL_CALL_RESULT]
    assert "SAID error" in str([event for span in received(server) for event in span.events])
    archive = (tmp_path / "archive").read_text()
    for name in (names.GEN_AI_INPUT_MESSAGES, names.GEN_AI_OUTPUT_MESSAGES, names.GEN_AI_TOOL_CALL_ARGUMENTS):
        assert name in archive
    assert "hunter2" not in archive


@pytest.mark.parametrize("capture", ["", "NO_CONTENT", "EVENT_ONLY"])
def test_content_that_is_not_asked_for_stays(capture: str, tmp_path: Path) -> None:
    environ = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": capture, "OTEL_MAS_EXPORT": "file:archive"}
    run(tmp_path, "-c", APP, **environ)

    archive = (tmp_path / "archive").read_bytes()
    assert b"execute_tool" in archive
    assert b"SAID" not in archive
    assert b"SAID" in b"".join(file.read_bytes() for file in tmp_path.glob("runs.db*"))


def test_who_asks_for_content_on_spans_has_it_recorded_and_nobody_else_by_default(tmp_path: Path) -> None:
    """As under `opentelemetry-instrument`, where nobody else chose."""
    from otel_mas.config import Settings

    variable = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
    assert Settings.from_env({variable: "SPAN_ONLY"}).content == "redacted"
    assert Settings.from_env({variable: "EVENT_ONLY"}).content is None
    assert Settings.from_env({variable: "SPAN_ONLY", "OTEL_MAS_CONTENT": "none"}).content == "none"


def test_an_attribute_is_cut_to_a_size_that_backends_take_and_says_so(tmp_path: Path) -> None:
    app = APP.replace("SAID question", "SAID question " + "long " * 2000)
    run(tmp_path, "-c", app)
    environ = {"OTEL_MAS_CONTENT_ATTRIBUTE_BYTES": "2048"}
    run(
        tmp_path,
        "-c",
        "from otel_mas.cli import main; main()",
        "export",
        "--all",
        "--content",
        "-o",
        "all.jsonl",
        **environ,
    )

    lines = (tmp_path / "all.jsonl").read_text().splitlines()
    attributes = [
        {pair["key"]: pair["value"] for pair in span["attributes"]}
        for line in lines
        for one in json.loads(line)["resourceSpans"]
        for scope in one["scopeSpans"]
        for span in scope["spans"]
        if span["name"].startswith("chat")
    ]
    assert len(attributes) == 2
    for one in attributes:
        text = one[names.GEN_AI_INPUT_MESSAGES]["stringValue"]
        assert len(text.encode()) <= 2048
        assert "SAID question" in json.loads(text)[0]["parts"][0]["content"]
        assert names.GEN_AI_INPUT_MESSAGES in str(one[names.MAS_CONTENT_CUT])
