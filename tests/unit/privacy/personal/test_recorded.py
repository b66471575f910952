"""Nothing of what is removed is anywhere in the files of a store, whichever way it came."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import otel_mas

APP = """
import logging
import sys
import otel_mas

def no_names(path, text):
    return text.replace("Ada Lovelace", "[name]")

otel_mas.instrument(store=sys.argv[1], personal_data="all", remove_paths=["tool:send.body"], redact_function=no_names)
from typing import TypedDict
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph
from opentelemetry import trace

class State(TypedDict):
    messages: list
    user: str

@tool
def send(to: str, body: str) -> str:
    "Send it, to bob@example.com say."
    return f"sent to {to}"

def node(state):
    send.invoke({"to": "bob@example.com", "body": "PRIVATE"})
    logging.getLogger("app").warning("to %s", "bob@example.com", extra={"ip": "203.0.113.77"})
    with trace.get_tracer("foreign").start_as_current_span("foreign bob@example.com") as span:
        span.set_attribute("enduser.id", "bob@example.com")
        span.set_attribute("numbers", [4111111111111111])
        span.add_event("note", {"text": "bob@example.com from 203.0.113.77"})
    return {"messages": [*state["messages"], AIMessage("4111 1111 1111 1111")], "user": "Ada Lovelace 123-45-6789"}

def fails(state):
    raise RuntimeError("not for bob@example.com")

graph = StateGraph(State)
graph.add_node("node", node)
graph.add_node("fails", fails)
graph.add_edge(START, "node")
graph.add_edge("node", "fails")
asked = {"messages": [HumanMessage("I am bob@example.com, +1 212 555 0187, DE89 3704 0044 0532 0130 00")], "user": "x"}
try:
    graph.compile().invoke(asked, {"configurable": {"thread_id": "bob@example.com"}})
except RuntimeError:
    pass
"""
GONE = (b"bob@", b"PRIVATE", b"555 0187", b"4111", b"Lovelace", b"123-45", b"203.0.113", b"DE89")


def test_personal_data_is_nowhere_in_the_store(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    subprocess.run([sys.executable, "-c", APP, str(store)], check=True, timeout=120, stderr=subprocess.DEVNULL)

    files = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert [text for text in GONE if text in files] == []
    with otel_mas.open(store) as source:
        trace = source.latest()
        assert trace.conversation_id is not None
        assert trace.conversation_id.startswith("[email:")
        (record,) = trace.logs()
        assert record.message == f"to {trace.conversation_id}"
        assert record.attributes["ip"].startswith("[ip:")
        (failed,) = trace.error_messages().values()
        assert failed == f"not for {trace.conversation_id}"
