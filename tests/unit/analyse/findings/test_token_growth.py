"""Prompts that grow with their history are told; other prompts, and histories that are cut, are not."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.findings.token_growth import token_growth
from otel_mas.model import Finding, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made


def findings(
    tokens: Sequence[int], *, history: bool = True, at_once: bool = False, **thresholds: float
) -> list[Finding]:
    """Findings about an agent whose calls read so many tokens, each what the one before read and more, or else."""
    spans: list[Span] = []
    read = {}
    for i, count in enumerate(tokens):
        start, end = (1, 90) if at_once else (10 * i + 1, 10 * i + 5)
        call = made.call(f"call{i}", start, end, "writer1")
        columns = {**call.columns, names.GEN_AI_USAGE_INPUT_TOKENS: count}
        spans.append(made.span(f"call{i}", start, end, "writer1", **columns))
        read[f"call{i}"] = ["system", *(f"m{k}" for k in range(i + 1))] if history else ["system", f"m{i}"]
    return list(token_growth(facts(made.agent("writer1", 0, 1000), *spans, read=read, **thresholds)))


def test_a_history_that_is_never_cut_grows() -> None:
    (found,) = findings([1_000, 3_000, 5_000, 7_000, 9_000, 11_000])

    assert found.summary == (
        "the input of writer grew from 1,000 to 11,000 tokens over 6 model calls, which read 25,000 tokens again"
    )
    assert (found.subject, found.spans[0], found.spans[-1]) == ("writer", "call5", "call0")


def test_some_turns_are_ordinary_and_the_threshold_can_be_set() -> None:
    assert findings([1_000, 5_000, 9_000, 13_000]) == []
    assert len(findings([1_000, 5_000, 9_000, 13_000], growth_steps=4)) == 1


def test_small_prompts_may_grow() -> None:
    assert findings([10, 30, 50, 70, 90, 110]) == []


def test_a_large_prompt_that_grows_a_little_is_no_growth() -> None:
    assert findings([10_000, 11_000, 12_000, 13_000, 14_000, 15_000]) == []


def test_a_history_that_is_cut_does_not_grow_on() -> None:
    assert findings([1_000, 4_000, 8_000, 1_000, 4_000, 8_000, 1_000, 4_000, 8_000]) == []


def test_prompts_of_other_content_are_no_growth() -> None:
    assert findings([1_000, 3_000, 5_000, 7_000, 9_000, 11_000], history=False) == []


def test_calls_at_the_same_time_are_no_growth() -> None:
    assert findings([1_000, 3_000, 5_000, 7_000, 9_000, 11_000], at_once=True) == []
