"""Work in series without a dependency is told; what was read, decided or cannot be followed is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from otel_mas.analyse.findings.latency_stacking import latency_stacking
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made, workflow

SECOND = 10**9
HISTORY = "The tram line closed long ago after sixty years of service"
NOISE = "People near the depot complain about screeching wheels"


def tasks(
    *,
    prompt: str = "Who complains about the tram?",
    noted: Any = HISTORY,
    first: str = HISTORY,
    wrote: Any = NOISE,
    edge: str = "edge|history|noise",
    kind: str = "trigger",
    took: int = SECOND,
    model: bool = True,
    **thresholds: float,
) -> list[Finding]:
    """Findings about a task `noise` after a task `history`, each with a model call."""
    spans: list[Span] = [
        workflow(0, 2 * took + 20, ["history", "noise"], [edge], ["LastValue|||past", "LastValue|||present"]),
        made.task("history1", 10, took, "run", task_step=1),
        made.call("call1", 11, took - 10, "history1"),
        made.task("noise1", took + 10, 2 * took, "run", task_step=2, causes=[(kind, "history1")]),
    ]
    if model:
        spans.append(made.call("call2", took + 11, 2 * took - 10, "noise1"))
    found = latency_stacking(
        facts(
            *spans,
            messages={
                "p1": ("user", "What happened?"),
                "p2": ("user", prompt),
                "a1": ("assistant", first),
                "a2": ("assistant", wrote if isinstance(wrote, str) and "tram" in wrote else NOISE),
            },
            read={"call1": ["p1"], "call2": ["p2"]},
            wrote={"call1": ["a1"], "call2": ["a2"]},
            state={"history1": {"past": noted}, "noise1": {"present": wrote}},
            **thresholds,
        )
    )
    return [one for one in found if isinstance(one, Finding)]


def test_tasks_in_a_row_of_which_the_later_reads_nothing_of_the_earlier() -> None:
    (found,) = tasks()

    assert found.summary == (
        "2 tasks ran in series, history, noise, and none read what another one wrote: the edge history -> noise is all "
        "that puts them in a row; side by side they save 1.00 s"
    )
    assert (found.severity, found.subject) == (Severity.WARNING, "history -> noise")
    assert found.spans == ("noise1", "history1")
    assert found.saves_ns is not None
    assert abs(found.saves_ns - SECOND) < SECOND // 100


@pytest.mark.parametrize(
    "near",
    [
        {"prompt": f"Who complains? Before: {HISTORY}"},  # reads it
        {"prompt": "Who complains, after sixty years of service?"},  # reads a part of it
        {"prompt": "Who complains of 480 people?"},  # a number that may be worked out
        {"wrote": "Between the two nothing has changed at all"},  # not what its model said
        {"noted": True},  # may be used without a trace
        {"noted": "yes"},
        {"edge": "branch|history|noise"},  # decided as the run went on
        {"kind": "send"},
        {"model": False},  # reads the state by code of its own
        {"took": SECOND // 10},  # not worth it
    ],
    ids=str,
)
def test_near_misses(near: Mapping[str, Any]) -> None:
    assert tasks(**near) == []


def test_the_threshold_can_be_set() -> None:
    assert len(tasks(took=SECOND // 10, stacking_seconds=0.05)) == 1
    assert tasks(stacking_share=0.6) == []


def test_what_nobody_read_is_to_be_handed_on_first() -> None:
    (found,) = tasks()
    handed_on = "nobody read what history wrote: hand it to noise if that should know it; else let the same node"

    assert found.advice.startswith(handed_on)


def test_a_correction_that_was_dropped_is_no_reason_to_run_side_by_side() -> None:
    correction = "Correction: the tram costs 40 million, not 30 million."
    dropped = {"noted": correction, "first": correction, "wrote": "The tram costs 30 million, they say."}

    assert tasks(**dropped, prompt="Who says: the tram costs 30 million?") == []
    assert len(tasks(**(dropped | {"wrote": NOISE}))) == 1, "it does not use what was corrected"


def called(
    *given: Any, results: Sequence[Any] = (HISTORY, NOISE), prompt: str = "", model: bool = True
) -> list[Finding]:
    """Findings about a function that called tasks with that, one after the other, which returned these.

    Args:
        prompt: of the last one's model, beside what it was given.
        model: the last one asks a model.
    """
    last = len(given) - 1
    spans = [made.span("run", 0, 9 * SECOND), made.task("trip1", 5, 9 * SECOND, "run")]
    contents: dict[str, dict[str, Any]] = {}
    messages, read = {}, {}
    for i, (argument, result) in enumerate(zip(given, results, strict=True)):
        start = i * SECOND + 10
        spans.append(made.task(f"{'abc'[i]}1", start, start + SECOND - 20, "run", causes=[("call", "trip1")]))
        contents[f"{'abc'[i]}1"] = {names.MAS_TASK_INPUT: {"0": argument}, names.MAS_TASK_RESULT: result}
        if model or i < last:
            spans.append(made.call(f"call{i}", start + 5, start + SECOND - 30, f"{'abc'[i]}1"))
            messages[f"p{i}"] = "user", f"{argument} {prompt if i == last else ''}"
            read[f"call{i}"] = [f"p{i}"]
    return [
        one
        for one in latency_stacking(facts(*spans, contents=contents, messages=messages, read=read))
        if isinstance(one, Finding)
    ]


QUESTION = "What about the tram of Basel?"


def test_tasks_that_a_function_calls_one_by_one() -> None:
    (found,) = called(QUESTION, QUESTION)

    assert (found.confidence, found.subject, found.spans) == (0.6, "trip: a and b", ("b1", "a1"))
    assert found.summary == (
        "2 tasks ran in series, a, b, and none read what another one wrote: trip waits for each before it calls the "
        "next; side by side they save 1.00 s"
    )


def test_a_task_for_each_item_of_a_list() -> None:
    (found,) = called("north", "south", "west", results=(HISTORY, NOISE, "Nothing at all is known about it"))

    assert found.spans == ("b1", "c1", "a1")


@pytest.mark.parametrize(
    "near",
    [
        {"given": [QUESTION, HISTORY]},  # was given it
        {"given": [QUESTION, {"since": "sixty"}]},  # was given a part of it
        {"given": [QUESTION, QUESTION], "prompt": "It is about the service"},  # reads a word of it
        {"given": [QUESTION, QUESTION], "results": ["tram", NOISE]},  # may be used without a trace
        {"given": [QUESTION, QUESTION], "results": [True, NOISE]},
        {"given": [QUESTION, QUESTION], "results": [None, NOISE]},
        {"given": [QUESTION, QUESTION], "model": False},  # may read by code of its own
    ],
    ids=str,
)
def test_called_tasks_that_need_what_came_before(near: dict[str, Any]) -> None:
    assert called(*near.pop("given"), **near) == []


def calls(*prompts: str, answers: Sequence[str] = (HISTORY, NOISE, "All is well in the depot again")) -> list[Finding]:
    """Findings about a task that makes model calls one by one."""
    spans = [made.agent("writer1", 0, 4 * SECOND)]
    spans += [made.call(f"call{i}", i * SECOND + 10, (i + 1) * SECOND, "writer1") for i in range(len(prompts))]
    messages = {f"p{i}": ("user", prompt) for i, prompt in enumerate(prompts)}
    messages |= {f"a{i}": ("assistant", answer) for i, answer in enumerate(answers)}
    number = {prompt: prompts.index(prompt) for prompt in prompts}
    found = latency_stacking(
        facts(
            *spans,
            messages=messages,
            read={f"call{i}": [f"p{number[prompt]}"] for i, prompt in enumerate(prompts)},
            wrote={f"call{i}": [f"a{i}"] for i in range(len(prompts))},
        )
    )
    return [one for one in found if isinstance(one, Finding)]


def test_model_calls_one_by_one() -> None:
    (found,) = calls("What happened?", "Who complains?", "How is it now?")

    assert found.summary.startswith("3 calls ran in series, call0, call1, call2, and none read what another one wrote")
    assert "writer makes them one by one" in found.summary
    assert found.saves_ns is not None
    assert found.saves_ns > 1.9 * SECOND


def test_a_call_that_goes_on_with_the_answer_before() -> None:
    assert calls("What happened?", f"Shorten: {HISTORY}") == []


def test_the_same_prompt_again_is_another_matter() -> None:
    assert calls("What happened?", "What happened?") == []


def test_a_short_answer_may_decide_on_the_next_call() -> None:
    assert calls("Is it old?", "Who complains?", answers=("yes", NOISE)) == []


def asked(*, at_once: bool) -> list[Finding]:
    """Findings about two calls of tools that ran one after the other, asked for by the same answer or not."""
    spans = [
        made.agent("writer1", 0, 4 * SECOND),
        made.call("call1", 10, 20, "writer1"),
        made.call("call2", 21, 30, "writer1"),
        *(
            made.tool(
                f"search{i}", i * SECOND + 40, (i + 1) * SECOND, "writer1", **{names.GEN_AI_TOOL_CALL_ID: f"id{i}"}
            )
            for i in range(2)
        ),
    ]
    run = facts(
        *spans, messages={"a": ("assistant", ""), "b": ("assistant", "")}, wrote={"call1": ["a"], "call2": ["b"]}
    )
    for i, digest in enumerate("aa" if at_once else "ab"):
        body = run.content.messages[digest].body
        assert body is not None
        body["parts"].append({"type": "tool_call", "id": f"id{i}", "name": "search", "arguments": {"q": i}})
    return [one for one in latency_stacking(run) if isinstance(one, Finding)]


def test_calls_of_tools_that_one_answer_asked_for() -> None:
    (found,) = asked(at_once=True)

    assert found.confidence == 0.9
    assert "one answer asked for all of them in writer" in found.summary
    assert found.spans == ("search1", "search0")


def test_calls_of_tools_that_were_asked_for_one_by_one() -> None:
    assert asked(at_once=False) == []
