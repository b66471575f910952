"""Results that an agent went on without are found; those read in any form, and those that need no reading, are not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.findings import RunFacts
from otel_mas.analyse.findings.unused_result import unused_result
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import Content, Finding, Message, MessageRef, Severity, Undecided
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import made

RESULT = "Elmstead has 12,000 inhabitants."


def found(
    *later: Sequence[dict[str, Any]] | None,
    result: Any = RESULT,
    tool: str = "search",
    reads_it: bool = False,
    omitted: bool = False,
    elsewhere: bool = False,
) -> list[Finding | Undecided]:
    """Findings about an agent that called a tool and then its model once for each of `later`.

    Args:
        later: the parts of a message that each call read; None for one whose content was not kept.
        result: of the tool.
        tool: its name.
        reads_it: these calls also read the tool's message.
        omitted: of these calls not all messages were recorded.
        elsewhere: the calls are those of another run of the agent's graph.
    """
    call = made.tool(f"{tool}1", 20, 30, "tools1", **{names.GEN_AI_TOOL_CALL_ID: "c0"})
    tasks = [made.task("model1", 0, 10, "writer1"), made.task("tools1", 11, 35, "writer1")]
    spans = [made.agent("writer1", 0, 500), *tasks, made.call("chat1", 1, 9, "model1"), call]
    request = {"type": "tool_call", "id": "c0", "name": tool, "arguments": {}}
    bodies: dict[str, Sequence[dict[str, Any]] | None] = {
        "asks": [request],
        "result": [{"type": "tool_call_response", "id": "c0", "response": result}],
    }
    refs = [MessageRef("t1", "chat1", "output", 0, "asks"), MessageRef("t1", call.span_id, "output", 0, "result")]
    more = {names.MAS_INPUT_OMITTED_MESSAGES: 3} if omitted else {}
    around = "writer2" if elsewhere else "writer1"
    if elsewhere:
        spans.append(made.agent("writer2", 40, 500))
    for i, parts in enumerate(later, 2):
        spans.append(made.task(f"model{i}", 50 * i, 50 * i + 20, around))
        spans.append(made.call(f"chat{i}", 50 * i + 1, 50 * i + 9, f"model{i}", **more))
        bodies[f"m{i}"] = parts
        refs.append(MessageRef("t1", f"chat{i}", "input", 0, f"m{i}"))
        if reads_it:
            refs.append(MessageRef("t1", f"chat{i}", "input", 1, "result"))
    messages = {
        digest: Message(digest, "user", None if parts is None else {"role": "user", "parts": parts})
        for digest, parts in bodies.items()
    }
    content = RunContent.gathered(
        refs, messages, [Content("t1", call.span_id, names.GEN_AI_TOOL_CALL_RESULT, result)], kept=True
    )
    return list(unused_result(RunFacts(made.graph(*spans), content, Thresholds())))


def text(content: str) -> list[dict[str, Any]]:
    return [{"type": "text", "content": content}]


def test_a_result_that_the_agent_went_on_without() -> None:
    (one,) = found(text("How many live there?"), text("And?"))

    assert isinstance(one, Finding)
    assert (one.severity, one.confidence, one.subject) == (Severity.WARNING, 0.8, "writer: search")
    assert one.summary == "writer called search and went on without reading what it returned"
    assert (one.spans, one.messages, one.saves_ns) == (("search1",), ("result",), 10)


def test_a_result_that_was_read() -> None:
    assert found(text("How many live there?"), reads_it=True) == []


@pytest.mark.parametrize(
    "parts",
    [
        text(f"The tools say: {RESULT} Answer with that."),
        [{"type": "tool_call_response", "id": "c0", "response": "[redacted]"}],
    ],
    ids=["in a prompt", "changed"],
)
def test_a_result_that_was_read_in_another_form(parts: list[dict[str, Any]]) -> None:
    assert found(text("How many live there?"), parts) == []


def test_a_result_after_which_the_agent_did_not_ask_its_model_is_its_answer() -> None:
    assert found() == []
    assert found(text("How many live there?"), elsewhere=True) == []


@pytest.mark.parametrize("result", [{"goto": "editor"}, {"update": {"notes": "a long note"}}])
def test_hand_offs_and_changes_of_the_state_need_no_reading(result: Any) -> None:
    assert found(text("How many?"), result=result) == []


def test_a_tool_that_changes_something_need_not_be_heard() -> None:
    assert found(text("How many?"), tool="send_mail") == []


@pytest.mark.parametrize(
    ("later", "more"), [(None, {}), (text("How many?"), {"omitted": True}), (text("How many?"), {"result": "42"})]
)
def test_what_was_not_kept_or_is_too_short_to_look_for_is_undecided(later: Any, more: dict[str, Any]) -> None:
    (one,) = found(later, **more)

    assert isinstance(one, Undecided)
    assert one.reason.startswith("nobody read the result of search as it was")
