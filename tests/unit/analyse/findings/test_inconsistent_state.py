"""Runs of a thread at the same time, and values that change on their way; not in turn, or in other words."""

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


# -- values ------------------------------------------------------------------------------------------------------------


def read(
    prompt: str,
    wrote: str = "Cost: 38 million. Opening: 2040-03-08. Riders: 5,100. Verdict: no.",
    *,
    answer: str = "Done.",
    direct: bool = True,
    result: str | None = None,
) -> list[Finding]:
    """Findings about a researcher that wrote a text, and a writer whose model read a prompt after it."""
    causes = [("trigger", "research1")] if direct else []
    spans = [
        made.span("run", 0, 100, run_outcome="ok"),
        made.agent("research1", 1, 20, "run", task_step=1),
        made.agent("write1", 50, 90, "run", task_step=2, causes=causes),
        made.call("call1", 60, 80, "write1"),
    ]
    contents = {}
    if result is not None:
        spans.append(made.tool("search1", 51, 52, "write1"))
        contents = {"search1": {names.GEN_AI_TOOL_CALL_RESULT: result}}
    messages = {"wrote": ("assistant", wrote), "prompt": ("user", prompt), "answer": ("assistant", answer)}
    written = {"research1": ["wrote"], "write1": ["answer"], "call1": ["answer"]}
    run = facts(*spans, messages=messages, wrote=written, read={"call1": ["prompt"]}, contents=contents)
    return list(inconsistent_state(run))


def test_a_value_that_changed_on_its_way() -> None:
    (one,) = read("- Cost: 83 million")

    assert (one.severity, one.confidence, one.subject) == (Severity.WARNING, 0.7, "research -> write")
    assert one.summary == "write read something else than research had written: cost 83 million for 38 million"
    assert one.spans == ("write1", "research1")
    assert "inferred" in one.rests_on


def test_it_is_an_error_where_the_answer_has_it() -> None:
    assert [one.severity for one in read("- Cost: 83 million", answer="Cost: 83 million.")] == [Severity.ERROR]


@pytest.mark.parametrize("prompt", ["Opening: 2041-03-08", "Riders: 1500", "Verdict: yes", "Riders: 51,000"])
def test_dates_numbers_and_verdicts_that_changed(prompt: str) -> None:
    assert len(read(prompt)) == 1


@pytest.mark.parametrize(
    "prompt",
    [
        "Cost: 38 million",
        "Cost: 38,000,000",
        "Riders: 5100.0",
        "Riders: 5,120",
        "Riders: 5.1",
        "Cost: about 40 million",
        "Cost: unknown",
        "Verdict: perhaps",
        "Length: 83 km",
        "Riders: 5,138",
    ],
    ids=[
        "it arrived",
        "digits",
        "decimals",
        "rounded",
        "in thousands",
        "other words",
        "a loss",
        "free",
        "new",
        "a sum",
    ],
)
def test_values_that_did_not_change(prompt: str) -> None:
    assert read(prompt) == []


def test_an_opinion_of_its_own_is_none() -> None:
    assert read("Verdict: yes", direct=False) == []
    assert len(read("Cost: 83 million", direct=False)) == 1


def test_a_value_of_its_own_tool_is_none() -> None:
    assert read("Cost: 83 million", result="It costs 83 million now.") == []
    assert len(read("Cost: 83 million", result="nothing")) == 1
