"""Cells of a notebook that are run again: nothing is recorded twice, and nothing stays inside of a run before it."""

from __future__ import annotations

from pathlib import Path

import nbclient
import nbformat

from tests.accuracy.features import LANGCHAIN_S
from tests.accuracy.trees import spans_of, trees

INSTRUMENT = """
import otel_mas
otel_mas.instrument(store={store!r})
"""
DEFINE = """
import asyncio, threading
from typing import TypedDict
from langgraph.graph import START, StateGraph
from opentelemetry import trace

tracer = trace.get_tracer("the notebook")

class State(TypedDict):
    text: str

def node(state):
    with tracer.start_as_current_span("work"):
        pass

def in_a_thread(state):
    thread = threading.Thread(target=node, args=(state,))
    thread.start()
    thread.join()

builder = StateGraph(State)
builder.add_node("node", node)
builder.add_node("in_a_thread", in_a_thread)
builder.add_edge(START, "node")
builder.add_edge("node", "in_a_thread")
app = builder.compile(name="app")
"""
RUN = 'app.invoke({"text": ""})'
AWAIT = 'await app.ainvoke({"text": ""})'
LEAVE = """
async for event in app.astream({"text": ""}, stream_mode="updates"):
    break
"""
KEEP = """
stream = app.stream({"text": ""}, stream_mode="updates")
next(stream)
"""
OWN = """
with tracer.start_as_current_span("own"):
    pass
"""
AGAIN = "otel_mas.shutdown(20); otel_mas.instrument(store={store!r})"
END = "assert otel_mas.flush(20)"
APP = "invoke_workflow app(task in_a_thread(work) task node(work))"
LEFT = "invoke_workflow app(task node(work))"


def test_cells_run_again_record_each_run_once(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    cells = [
        INSTRUMENT,
        DEFINE,
        RUN,
        INSTRUMENT,
        DEFINE,
        RUN,
        RUN,
        OWN,
        AWAIT,
        LEAVE,
        OWN,
        KEEP,
        KEEP,
        "del stream",
        OWN,
    ]
    cells += [AGAIN, RUN, DEFINE, RUN, "%reset -f", INSTRUMENT, DEFINE, RUN, END]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.replace("{store!r}", repr(str(store))).strip()) for cell in cells]
    )
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()

    printed = [output for cell in notebook.cells for output in cell.outputs if output.output_type == "stream"]
    assert [output for output in printed if LANGCHAIN_S.sub("", output.text)] == []
    spans = spans_of(store)
    assert trees(spans) == sorted([APP] * 7 + [LEFT] * 3 + ["own"] * 3)
    outcomes = [span.attributes.get("mas.run.outcome") for span in spans if span.name == "invoke_workflow app"]
    assert sorted(map(str, outcomes)) == ["abandoned"] * 3 + ["ok"] * 7
    assert [span.name for span in spans if span.end_ns is None or span.status.name == "ERROR"] == []
