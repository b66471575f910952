"""Messages without a receipt, work that was not started, values that did not arrive; and what only looks like these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from otel_mas.analyse.findings.message_loss import message_loss
from otel_mas.model import Finding, Severity, Span, Undecided
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

GRAPH = {names.GEN_AI_OPERATION_NAME: "invoke_workflow", names.GEN_AI_AGENT_NAME: "press"}
KIND, ID, PEER = names.MAS_RECORD_KIND, names.MAS_MESSAGE_ID, names.MAS_MESSAGE_PEER


# -- sends -------------------------------------------------------------------------------------------------------------


def exchange(kind: str, identity: str, parent: str, peer: str, at: int) -> Span:
    return made.span(f"{kind}{identity}", at, at, parent, **{KIND: kind, ID: identity, PEER: peer})


def sent(*spans: Span, end: int | None = 100) -> list[Finding | Undecided]:
    """Findings about a planner that sent `m1` and `m2` to a booker, which had `m2`."""
    run = made.span("run", 0, end)
    agents = [made.agent("plan1", 1, 50, "run"), made.agent("book1", 20, 90, "run")]
    first, second = exchange("SEND", "m1", "plan1", "book", 5), exchange("SEND", "m2", "plan1", "book", 6)
    return list(message_loss(facts(run, *agents, first, second, *spans)))


HAD = exchange("RECEIVE", "m2", "book1", "plan", 30)


def test_a_message_that_nobody_received() -> None:
    (found,) = sent(HAD)

    assert isinstance(found, Finding)
    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 0.9, "plan -> book")
    assert found.spans == ("SENDm1",)


def test_a_message_of_a_run_under_way_may_still_arrive() -> None:
    assert sent(HAD, end=None) == []


def test_a_message_that_caused_a_task_arrived() -> None:
    for cause in ("SENDm1", "plan1"):  # `caused_by` of a carrier is a link to the task that sent it
        task = made.agent("book2", 30, 40, "run", causes=[("send", cause)])
        assert sent(HAD, task) == []


def test_without_any_receipts_it_cannot_be_told() -> None:
    (found,) = sent()
    assert isinstance(found, Undecided)
    assert "otel_mas.receive" in found.reason


def test_of_an_agent_that_is_not_recorded_it_cannot_be_told() -> None:
    spans = (made.span("run", 0, 100), made.agent("plan1", 1, 50, "run"), made.agent("book1", 20, 90, "run"))
    abroad = exchange("SEND", "m3", "plan1", "bank", 7)
    (found,) = message_loss(facts(*spans, exchange("SEND", "m2", "plan1", "book", 6), HAD, abroad))
    assert isinstance(found, Undecided)
    assert "bank, which is not recorded here" in found.reason


@pytest.mark.parametrize(
    ("outcome", "ran", "number"),
    [("ok", (), 1), ("ok", ("count1",), 0), ("error", (), 0), ("interrupted", (), 0)],
)
def test_work_that_was_sent_and_never_started(outcome: str, ran: Sequence[str], number: int) -> None:
    run = made.span("run", 0, 100, run_outcome=outcome, **GRAPH, **{names.MAS_GRAPH_NODES: ("plan", "count")})
    chosen = {KIND: "ROUTING_DECISION", names.MAS_ROUTING_CHOICE: ("count", "__end__")}
    decision = made.span("route", 5, 6, "plan1", **chosen)
    tasks = [made.agent(one, 20, 30, "run", task_step=2) for one in ran]
    found = list(message_loss(facts(run, made.agent("plan1", 1, 9, "run"), decision, *tasks)))

    assert [one.summary for one in found if isinstance(one, Finding)] == [
        "plan sent work to count, and no task of count was started"
    ] * number


# -- values ------------------------------------------------------------------------------------------------------------


def values(
    prompt: str, *, wrote: Sequence[tuple[str, str]] = (("count1", "Population: 5,000."),), answer: str = "Done."
) -> list[Finding | Undecided]:
    """Findings about tasks that wrote texts one after the other, and a writer whose model read a prompt after them."""
    tasks = [made.agent(name, 10 * i + 1, 10 * i + 9, "run", task_step=i) for i, (name, _) in enumerate(wrote)]
    writer = made.agent("write1", 80, 95, "run", task_step=9)
    messages: Mapping[str, Any] = {
        **{f"m{i}": ("assistant", text) for i, (_, text) in enumerate(wrote)},
        "prompt": ("user", prompt),
        "answer": ("assistant", answer),
    }
    written = {task.span_id: [f"m{i}"] for i, task in enumerate(tasks)} | {"call1": ["answer"], "write1": ["answer"]}
    run = made.span("run", 0, 100, run_outcome="ok")
    spans = (run, *tasks, writer, made.call("call1", 81, 90, "write1"))
    return list(message_loss(facts(*spans, messages=messages, wrote=written, read={"call1": ["prompt"]})))


def test_a_value_that_did_not_arrive() -> None:
    (found,) = values("- Population: unknown\n- Cost: 3")

    assert isinstance(found, Finding)
    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 0.8, "count -> write")
    assert found.summary == "write did not get what count had written: population (5000)"
    assert found.spans == ("write1", "count1")
    assert "inferred" in found.rests_on


def test_it_is_an_error_where_the_answer_lacks_it_as_well() -> None:
    (found,) = values("- Population: none", answer="Population: unknown. Cost: 3.")
    assert isinstance(found, Finding)
    assert found.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("prompt", "wrote"),
    [
        ("- Population: 5000", [("count1", "Population: 5,000.")]),
        ("- Population: unknown\n- People: 5000", [("count1", "Population: 5,000.")]),
        ("- Remarks: none", [("count1", "Population: 5,000.")]),
        ("- Population: unknown", [("count1", "Population: 5,000."), ("check1", "Population: unknown.")]),
        ("- Population: unknown", [("write0", "Population: 5,000.")]),
        ("- Population: unknown", [("count1", "It has 5,000 inhabitants.")]),
    ],
    ids=["it arrived", "it stands elsewhere", "nobody wrote one", "it was taken back", "its own", "without a name"],
)
def test_what_only_looks_like_a_loss(prompt: str, wrote: Sequence[tuple[str, str]]) -> None:
    assert values(prompt, wrote=wrote) == []


def test_a_value_that_its_own_outer_task_replaced_was_not_written() -> None:
    run, outer = made.span("run", 0, 100, run_outcome="ok"), made.agent("count1", 1, 20, "run")
    inner, writer = made.task("model1", 2, 10, "count1"), made.agent("write1", 50, 90, "run")
    messages = {
        "inner": ("assistant", "Population: 5,000"),
        "outer": ("assistant", "Try again later."),
        "prompt": ("user", "Population: unknown"),
    }
    spans = (run, outer, inner, writer, made.call("call1", 51, 80, "write1"))
    wrote = {"model1": ["inner"], "count1": ["outer"]}
    assert list(message_loss(facts(*spans, messages=messages, wrote=wrote, read={"call1": ["prompt"]}))) == []


def test_what_was_not_kept_is_not_told() -> None:
    spans = (made.span("run", 0, 100), made.agent("write1", 50, 90, "run"), made.call("call1", 51, 80, "write1"))
    assert list(message_loss(facts(*spans, read={"call1": ["prompt"]}))) == []
