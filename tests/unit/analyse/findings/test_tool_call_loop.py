"""Calls that bring nothing new are a loop; retries, polls and other arguments are none."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.findings.tool_call_loop import tool_call_loop
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made


def searches(results: Sequence[str], *, failed: Sequence[int] = (), **thresholds: float) -> list[Finding]:
    """Findings about an agent that called `search` with the same arguments and got these results."""
    calls: list[Span] = [
        made.tool(f"search{i}", 10 * i + 1, 10 * i + 6, "writer1", failed=i in failed) for i in range(len(results))
    ]
    contents = {
        call.span_id: {names.GEN_AI_TOOL_CALL_ARGUMENTS: {"q": "tram"}, names.GEN_AI_TOOL_CALL_RESULT: result}
        for call, result in zip(calls, results, strict=True)
    }
    return list(tool_call_loop(facts(made.agent("writer1", 0, 1000), *calls, contents=contents, **thresholds)))


def test_the_same_result_again_and_again_is_a_loop() -> None:
    (found,) = searches(["nothing"] * 4)

    assert (found.severity, found.subject) == (Severity.WARNING, "writer: search")
    assert found.summary == "writer called search 4 times with the same arguments and got the same result"
    assert found.spans == ("search1", "search2", "search3", "search0")
    assert found.saves_ns == 15


def test_twice_is_no_loop_and_the_threshold_can_be_set() -> None:
    assert searches(["nothing"] * 2) == []
    assert len(searches(["nothing"] * 2, tool_loop_calls=2)) == 1


def test_a_poll_whose_result_changes_is_no_loop() -> None:
    assert searches(["queued", "queued", "running", "running", "done"]) == []


def test_retries_of_failed_calls_are_no_loop() -> None:
    assert searches(["", "", "found"], failed=(0, 1)) == []


def test_what_was_not_kept_is_not_compared() -> None:
    calls = [made.tool(f"search{i}", i, i + 1, "writer1") for i in range(5)]
    assert list(tool_call_loop(facts(made.agent("writer1", 0, 10), *calls))) == []
