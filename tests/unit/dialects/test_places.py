"""A span in another dialect is the same from a file and from a store, and keeps its own attributes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.model import Span, StatusCode
from otel_mas.semconv import attributes as names
from otel_mas.store.importing import import_spans
from tests.conformance.messages import export, process, span, trace_id

METADATA = {
    "ls_integration": "langgraph",
    "langgraph_node": "writer",
    "langgraph_step": 2,
    "langgraph_triggers": ["branch:to:writer"],
    "langgraph_checkpoint_ns": "writer:2-2",
}
NODE = {
    "openinference.span.kind": "CHAIN",
    "metadata": json.dumps(METADATA),
    "error.type": "GraphInterrupt",
    "exception.type": "langgraph.errors.GraphInterrupt",
}
CALL = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o-mini",
    "llm.token_count.prompt": 1_000_000,
    "llm.token_count.completion": 0,
}


@pytest.fixture(params=["file", "store"])
def spans(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Span]:
    node = span(1, 1, "writer", 0, 9, attributes=NODE, error="paused")
    given = [process({"service.name": "app"}, [node, span(1, 2, "model", 1, 8, parent=1, attributes=CALL)])]
    path = tmp_path / "traces.db"
    if request.param == "store":
        import_spans(path, given)
    else:
        path = tmp_path / "traces.pb"
        path.write_bytes(export(*given).SerializeToString())
    with otel_mas.open(path) as source:
        return {one.name: one for one in source.trace(trace_id(1)).spans}


def test_a_paused_task_is_one_and_no_error(spans: dict[str, Span]) -> None:
    task = spans["writer"]
    found: dict[str, Any] = {name: task.get(name) for name in (names.MAS_TASK_ID, names.MAS_TASK_OUTCOME)}

    assert found == {names.MAS_TASK_ID: "2-2", names.MAS_TASK_OUTCOME: "interrupted"}
    assert task.get(names.MAS_TASK_TRIGGERS) == ("branch:to:writer",)
    assert task.status is StatusCode.UNSET
    assert task.attributes == NODE


def test_a_model_call_without_a_cost_gets_it_by_our_table(spans: dict[str, Span]) -> None:
    call = spans["model"]

    assert call.columns[names.GEN_AI_USAGE_INPUT_TOKENS] == 1_000_000
    assert call.columns[names.MAS_COST_USD] == pytest.approx(0.15)
    assert call.attributes == CALL
