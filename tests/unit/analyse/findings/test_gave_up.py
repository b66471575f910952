"""An agent that says that it could not, and counts as done, gave up; with a remark, or a question, it did not."""

from __future__ import annotations

import pytest

from otel_mas.analyse.findings.gave_up import gave_up
from otel_mas.analyse.giving_up import gives_up
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made

SORRY = "I'm sorry, but I could not find the figures."
OK = {names.MAS_RUN_OUTCOME: "ok"}


def said(*texts: str, extra: tuple[Span, ...] = (), last: str = "", **task: object) -> list[Finding]:
    """Findings about a researcher that wrote these texts, one a task, and a writer after it."""
    spans = [made.agent(f"research{i}", 10 * i + 1, 10 * i + 5, "run", task_step=i, **task) for i in range(len(texts))]  # type: ignore[arg-type]
    writer = [made.agent("write1", 90, 95, "run", task_step=9)] if last else []
    messages = {f"m{i}": ("assistant", text) for i, text in enumerate(texts)} | {"last": ("assistant", last)}
    wrote = {span.span_id: [f"m{i}"] for i, span in enumerate(spans)} | ({"write1": ["last"]} if last else {})
    run = made.span("run", 0, 100, **OK)
    return list(gave_up(facts(run, *spans, *writer, *extra, messages=messages, wrote=wrote)))


def test_an_agent_that_gives_up_and_counts_as_done() -> None:
    (found,) = said(SORRY, last="The tram costs 40 million.")

    assert (found.severity, found.confidence, found.subject) == (Severity.WARNING, 0.7, "research")
    assert found.summary == "research gave up (“I could not find”) and counts as done"
    assert found.spans == ("research0",)
    assert found.messages == ("m0",)
    assert "inferred" in found.rests_on


def test_it_is_an_error_where_the_run_answers_with_it() -> None:
    (found,) = said(SORRY, last=f"Report: {SORRY}")

    assert found.severity is Severity.ERROR
    assert found.subject == "research", "who repeats it is not told again"


def test_after_a_tool_that_failed_it_is_surer() -> None:
    tool = made.tool("search1", 2, 3, "research0", failed=True)
    (found,) = said(SORRY, extra=(tool,), last="The tram costs 40 million.")

    assert (found.confidence, found.spans) == (0.9, ("research0", "search1"))


def test_the_tool_may_have_failed_in_another_task_of_its_agent() -> None:
    """An agent of LangChain calls tools in a task beside that of its model."""
    agent = made.agent("agent1", 1, 9, "run", task_step=1)
    tools = [made.task("tools1", 2, 3, "agent1", task_step=1), made.tool("search1", 2, 3, "tools1", failed=True)]
    model = [made.task("model1", 4, 8, "agent1", task_step=2), made.call("call1", 5, 7, "model1")]
    run = made.span("run", 0, 100, **OK)
    told = {"messages": {"m": ("assistant", SORRY)}, "wrote": {"call1": ["m"], "model1": ["m"]}}

    (found,) = gave_up(facts(run, agent, *tools, *model, **told))  # type: ignore[arg-type]
    assert found.confidence == 0.9
    assert found.summary.endswith(", after search had failed")

    worked = made.tool("search2", 3, 4, "tools1")
    (found,) = gave_up(facts(run, agent, *tools, worked, *model, **told))  # type: ignore[arg-type]
    assert found.confidence == 0.7, "what worked after it made good for it"


def test_who_answered_later_after_all_did_not_give_up() -> None:
    assert said(SORRY, "The tram costs 40 million.") == []


def test_a_task_that_failed_does_not_count_as_done() -> None:
    assert said(SORRY, task_outcome="error") == []


def test_what_a_guardrail_stopped_is_no_giving_up() -> None:
    check = made.span("check", 1, 2, "research0", record_kind="GUARDRAIL", **{names.MAS_GUARDRAIL_VERDICT: "block"})
    assert said("I can't help with that.", extra=(check,)) == []


@pytest.mark.parametrize(
    "text",
    [
        "The tram costs 40 million. I could not find a second source. " + "The line is long. " * 20,
        "I couldn't find your order. What is its number?",
        "I cannot recommend the tram: it costs too much.",
        "We failed to agree, so the sceptic prevails.",
        "The council could not find the money.",
        "Sorry for the delay; the report is ready.",
        "Nothing more to say.",
    ],
)
def test_other_words_are_none(text: str) -> None:
    assert gives_up(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "I was unable to complete the task.",
        "Sorry, we can’t access the archive.",
        "Unable to process the request.",
        "I give up.",
        "I'm not able to answer this.",
    ],
)
def test_words_of_giving_up(text: str) -> None:
    assert gives_up(text) is not None


def test_a_run_whose_last_model_call_says_nothing_has_no_answer() -> None:
    run, task = made.span("run", 0, 100, **OK), made.agent("write1", 1, 90, "run")
    call = made.call("call1", 2, 80, "write1")
    texts = {"empty": ("assistant", ""), "some": ("assistant", "Here it is.")}

    (found,) = gave_up(facts(run, task, call, messages=texts, wrote={"call1": ["empty"]}))
    assert found.severity is Severity.ERROR
    assert found.summary == "write answered nothing, at the end of a run that ended well"
    assert list(gave_up(facts(run, task, call, messages=texts, wrote={"call1": ["some"]}))) == []
    assert list(gave_up(facts(run, task, call, wrote={"call1": ["empty"]}))) == [], "its text was not kept"


def test_what_was_not_kept_is_not_told() -> None:
    task = made.agent("research0", 1, 5, "run")
    assert list(gave_up(facts(made.span("run", 0, 9, **OK), task, wrote={"research0": ["m0"]}))) == []


def test_attributes_of_other_types_are_passed_over() -> None:
    """Other programs write archives, too."""
    odd = made.task("node1", 1, 9, "run", **{names.MAS_STATE_CHANGED: ("x",), names.MAS_STATE_DIGESTS: 3})
    route = made.span("route1", 2, 3, "node1", **{names.GEN_AI_OPERATION_NAME: "route", names.MAS_ROUTING_CHOICE: 1.5})
    run = facts(made.span("run", 0, 100, **OK), odd, route, messages={"m": ("assistant", SORRY)})
    assert list(gave_up(run)) == []
