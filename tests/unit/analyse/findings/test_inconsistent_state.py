"""Runs of a thread at the same time that write the same field are inconsistent; one after the other they are not."""

from __future__ import annotations

import pytest

from otel_mas.analyse.findings.inconsistent_state import inconsistent_state
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

GRAPH = {names.GEN_AI_OPERATION_NAME: "invoke_workflow", names.GEN_AI_AGENT_NAME: "press"}
A, B = f"{1:032x}", f"{2:032x}"


def run(number: int, start: int, end: int, *, digest: str, began: str = "c0", kind: str = "LastValue") -> list[Span]:
    channels = {names.MAS_GRAPH_NODES: ("write",), names.MAS_GRAPH_CHANNELS: (f"{kind}|||answer",)}
    thread = {names.GEN_AI_CONVERSATION_ID: "t", names.MAS_CHECKPOINT_ID: began}
    wrote = {names.MAS_STATE_CHANGED: ("answer",), names.MAS_STATE_DIGESTS: (digest,)}
    root = made.span(f"run{number}", start, end, run_outcome="ok", **GRAPH, **channels, **thread)
    return [root, made.agent(f"write{number}", start + 1, end - 1, f"run{number}", task_step=1, **wrote)]


def found(*runs: list[Span]) -> list[Finding]:
    return list(inconsistent_state(facts(*(span for one in runs for span in one))))


def test_runs_at_the_same_time_that_write_the_same_field() -> None:
    (one,) = found(run(1, 0, 100, digest=A), run(2, 50, 150, digest=B))

    assert (one.severity, one.confidence, one.subject) == (Severity.WARNING, 1.0, "press")
    assert one.summary == (
        "two runs of press in one thread began from the same state, ran at the same time and both wrote answer"
    )
    assert one.spans == ("run2", "run1", "write1", "write2")


@pytest.mark.parametrize(
    "second",
    [
        run(2, 150, 250, digest=B),
        run(2, 50, 150, digest=A),
        run(2, 50, 150, digest=B, began="c1"),
        run(2, 50, 150, digest=B, kind="BinaryOperatorAggregate"),
    ],
    ids=["afterwards", "the same value", "from a later checkpoint", "a field with a reducer"],
)
def test_what_is_consistent(second: list[Span]) -> None:
    first = run(1, 0, 100, digest=A, kind="LastValue")
    if second[0].get(names.MAS_GRAPH_CHANNELS) != first[0].get(names.MAS_GRAPH_CHANNELS):
        first = run(1, 0, 100, digest=A, kind="BinaryOperatorAggregate")
    assert found(first, second) == []
