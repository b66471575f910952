"""Every attribute that recording emits is in the registry, with the type and the values that it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import otel_mas
from otel_mas.faults import inject
from tests.accuracy.prototypes import RUNS, invoke, run_app
from tests.accuracy.topologies import build

MODEL = Path(__file__).resolve().parents[2] / "semconv" / "model"
CHECKS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "double": lambda value: isinstance(value, float),
    "boolean": lambda value: isinstance(value, bool),
    "string[]": lambda value: isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value),
    "int[]": lambda value: isinstance(value, (list, tuple)) and all(isinstance(item, int) for item in value),
}


def registry() -> dict[str, Any]:
    documents = [yaml.safe_load(path.read_text()) for path in MODEL.glob("*.yaml")]
    return {one["key"]: one["type"] for document in documents for one in document.get("attributes", ())}


def has_type(kind: Any, value: Any) -> bool:
    if isinstance(kind, dict):
        return value in {member["value"] for member in kind["members"]}
    return CHECKS[kind](value)


def strays(attributes: Any, known: dict[str, Any]) -> list[str]:
    return [
        f"{name}={value!r}"
        for name, value in attributes.items()
        if name not in known or not has_type(known[name], value)
    ]


def _mark_everything() -> None:
    with otel_mas.workflow("w", conversation="marked"), otel_mas.agent("a") as agent:
        agent.input("hi")
        agent.state(draft="one")
        otel_mas.stage("drafting", "1 of 2")
        carrier = otel_mas.send("hello", to="b")
        with otel_mas.routing("r", candidates=["b"]) as decision:
            decision.choose("b", "nobody else is there")
        with otel_mas.guardrail("g", target="tool_call") as check:
            check.verdict("modified", "too long", score=0.5)
        with otel_mas.grade("relevance") as grade:
            grade.score(True, "on it")
    with otel_mas.task("b", caused_by=carrier), otel_mas.tool("t"), otel_mas.retrieval("archive"):
        otel_mas.receive("hello", carrier, sender="a")


def test_what_is_emitted_is_registered(apps: Any, recorded: Path) -> None:
    for app in RUNS:
        run_app(apps, app, invoke)
    # An error of a model, an open end, a resume on an agent: what the apps do not do.
    agent = apps.build_A(InMemorySaver(), usage=False)
    agent.invoke({"messages": [HumanMessage("again")], "question": "q"}, {"configurable": {"thread_id": "x"}})
    with pytest.raises(Exception, match=r"resume|Resume|checkpointer"):
        apps.build_B().invoke(Command(resume="nothing waits"))
    _mark_everything()
    with inject("tool_empty:agent=researcher", "message_contradicted:agent=analyst", seed=7) as injected:
        build("pipeline").run()
    assert injected.never_fired == ()
    assert otel_mas.flush(30)
    known = registry()
    found: list[str] = []
    with otel_mas.open(recorded) as source:
        traces = [source.trace(summary.trace_id) for summary in source.traces(limit=100)]
    assert len(traces) >= len(RUNS)
    for span in (span for trace in traces for span in trace.spans):
        found += [f"{span.name}: {stray}" for stray in strays(span.attributes, known)]
        found += [f"{span.name} event: {stray}" for event in span.events for stray in strays(event.attributes, known)]
        found += [f"{span.name} link: {stray}" for link in span.links for stray in strays(link.attributes, known)]
        found += [
            f"resource: {stray}"
            for stray in strays(span.resource.attributes, known)
            if not stray.startswith(("telemetry.sdk.", "process.", "host.", "os."))
        ]
    assert sorted(set(found)) == []
