"""Root causes: each rule with a case, a near miss, and runs against which nobody has anything."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.root_cause import Complaint, ComplaintLabel, RootCause, root_cause
from otel_mas.analyse.root_cause.values import numbers_in
from otel_mas.causal import CausalGraph, build
from otel_mas.otlp.span_content import TraceContent
from otel_mas.semconv import attributes as names
from otel_mas.trace_records.record import TraceRecord
from otel_mas.trace_records.spans import traces_of

SECOND = 1_000_000_000
TASK = "How many trams does the depot in Basel hold?"


class Run:
    """A run of turns, one after the other, each caused by the one before."""

    def __init__(self, task: str = TASK) -> None:
        self._task = task
        self._records: list[dict[str, Any]] = []
        self._inside: list[dict[str, Any]] = []

    def says(self, agent: str, text: str, *, seconds: int = 1) -> Run:
        return self._add("AGENT_TASK", agent, {"output": text}, seconds=seconds, name=agent)

    def reads(self, agent: str, prompt: str, text: str, *, hands_on: str | None = None) -> Run:
        """A task with one call of a model inside, that may give others another text."""
        self._add("AGENT_TASK", agent, None if hands_on is None else {"output": hands_on}, name=agent)
        task = self._records[-1]
        message = {"role": "user", "parts": [{"type": "text", "content": prompt}]}
        call = {"event_type": "LLM_CALL", "span_id": f"call-{task['span_id']}", "parent_span_id": task["span_id"]}
        times = {"timestamp": task["timestamp"] + 1, "duration_ns": SECOND // 2, "name": "chat", "agent_name": agent}
        self._inside.append({**call, **times, "payload": {"input": [message], "output": text}})
        return self

    def passes_on(self, agent: str, tool: str, arguments: object) -> Run:
        """A task whose own code calls a tool."""
        self._add("AGENT_TASK", agent, None, name=agent)
        task = self._records[-1]
        call = {"event_type": "TOOL_CALL", "span_id": f"call-{task['span_id']}", "parent_span_id": task["span_id"]}
        times = {"timestamp": task["timestamp"] + 1, "duration_ns": SECOND // 2, "name": f"execute_tool {tool}"}
        self._inside.append({**call, **times, "payload": {"arguments": arguments, "result": "done"}})
        return self

    def computes(self, agent: str, result: object, given: object = None) -> Run:
        """A called task without a model inside."""
        payload = {"result": result, **({} if given is None else {"arguments": given})}
        return self._add("AGENT_TASK", agent, payload, name=agent, attributes={names.MAS_TASK_NAME: agent})

    def asks(self, person: str, text: str) -> Run:
        return self._add("HUMAN_INPUT", person, {"output": text})

    def calls(self, tool: str, arguments: object, result: object = None, *, error: str | None = None) -> Run:
        payload = {"arguments": arguments, **({} if result is None else {"result": result})}
        failure = {} if error is None else {"status": "ERROR", "status_message": error}
        return self._add("TOOL_CALL", "worker", payload, name=f"execute_tool {tool}", **failure)

    def fails(self, agent: str, error: str, *, kind: str = "") -> Run:
        self._failed = f"step-{len(self._records)}"
        attributes = {names.ERROR_TYPE: kind} if kind else {}
        failure = {"status": "ERROR", "status_message": error, "attributes": attributes}
        return self._add("AGENT_TASK", agent, None, name=agent, **failure)

    def causes(self, wrong: Complaint | None = None) -> list[RootCause]:
        graph, content = self.read()
        return root_cause(graph, content, complaint=wrong)

    def first(self, wrong: Complaint | None = None) -> tuple[int, str | None]:
        """Number of the turn that is ranked first, and its agent."""
        graph, content = self.read()
        best = root_cause(graph, content, complaint=wrong)[0]
        return int(str(graph.span(best.span).get(names.MAS_RECORD_SPAN_ID)).removeprefix("step-")), best.agent

    def read(self) -> tuple[CausalGraph, RunContent]:
        end = sum(record["duration_ns"] for record in self._records)
        failed = self._records[-1].get("status") == "ERROR"
        run = {
            "event_type": "WORKFLOW",
            "span_id": "run",
            "timestamp": 0,
            "duration_ns": end,
            "payload": {"input": self._task},
        }
        records = [{**run, "name": "run", "status": "ERROR" if failed else "OK"}, *self._records, *self._inside]
        (trace,) = traces_of(TraceRecord(trace_id="run", **record) for record in records)
        content = TraceContent.of(trace.spans)
        contents = [one for found in content.contents.values() for one in found]
        return build((trace,)), RunContent.gathered(content.refs, content.messages, contents, kept=True)

    def _add(self, kind: str, agent: str, payload: object, *, seconds: int = 1, **fields: object) -> Run:
        number = len(self._records)
        start = sum(record["duration_ns"] for record in self._records)
        parents = [{"span_id": f"step-{number - 1}", "kind": "trigger"}] if number else []
        self._records.append(
            {
                "event_type": kind,
                "span_id": f"step-{number}",
                "parent_span_id": "run",
                "parents": parents,
                "timestamp": start,
                "duration_ns": seconds * SECOND,
                "agent_name": agent,
                "payload": payload,
                **fields,
            }
        )
        return self


def test_an_answer_that_was_cut_off_comes_before_who_spoke_first() -> None:
    run = (
        Run()
        .says("planner", "We write.")
        ._add(
            "LLM_CALL", "writer", {"output": "The depot"}, attributes={names.GEN_AI_RESPONSE_FINISH_REASONS: ["length"]}
        )
    )

    assert run.says("editor", "Fine.").first(Complaint()) == (1, "writer")


@pytest.mark.parametrize(
    ("document", "number"), [("The canteen opens at noon.", 1), ("Refunds are paid within 30 days.", 0)]
)
def test_documents_without_a_word_of_the_query_are_evidence(document: str, number: int) -> None:
    payload = {"query": "How long is the refund period?", "documents": [{"content": document}]}
    run = Run().says("planner", "We ask.")._add("RETRIEVAL", "index", payload, name="retrieval index")

    causes = run.says("writer", "From noon on.").causes(Complaint())

    assert sum("has a word of the query" in one for cause in causes for one in cause.reasons) == number
    assert (causes[0].reasons != ()) == bool(number)


CUT = {names.GEN_AI_RESPONSE_FINISH_REASONS: ["length"]}


def _cuts(run: Run, agent: str, text: str) -> Run:
    return run._add("LLM_CALL", agent, {"output": text}, attributes=CUT)


def test_a_cut_answer_comes_before_the_error_of_reading_it_and_not_before_another() -> None:
    run = _cuts(Run().says("planner", "We write."), "writer", '{"depot": "Bas')

    assert run.fails("parser", "JSONDecodeError: Unterminated string", kind="JSONDecodeError").first() == (1, "writer")
    run = _cuts(Run().says("planner", "We write."), "writer", '{"depot": "Bas')
    assert run.fails("sender", "no route to host", kind="OSError").first() == (2, "sender")


def test_a_cut_answer_comes_before_the_recursion_limit_unless_it_was_made_good() -> None:
    run = _cuts(_cuts(Run(), "writer", "The depot").says("critic", "more"), "writer", "The depot")

    assert run.fails("run", "limit", kind="langgraph.errors.GraphRecursionError").first() == (0, "writer")
    run = _cuts(Run(), "writer", "The depot")._add("LLM_CALL", "writer", {"output": "The depot is full."})
    assert run.fails("run", "limit", kind="langgraph.errors.GraphRecursionError").first() == (2, "run")


def test_an_agent_that_gives_up_comes_before_who_spoke_first_and_one_that_remarks_on_it_does_not() -> None:
    long = "The depot holds trams of three kinds, as its yearly reports show in some detail. " * 6
    gives_up = Run().says("planner", "We ask.").says("worker", "I could not find it.").says("writer", "No answer.")
    remarks = Run().says("planner", "We ask.").says("worker", f"{long}I could not find more.").says("writer", "So.")

    assert gives_up.first(Complaint(ComplaintLabel.MISSING)) == (1, "worker")
    assert remarks.first(Complaint(ComplaintLabel.MISSING)) == (0, "planner")


def test_a_result_that_is_no_data_comes_before_who_spoke_first() -> None:
    page = "<html><head><title>502 Bad Gateway</title></head></html>"
    run = Run().says("planner", "We ask.").calls("register", {"at": "B"}, page).says("writer", "It holds 7.")

    assert run.first(Complaint())[0] == 1


def test_a_run_against_which_nobody_has_anything_has_no_root_cause() -> None:
    run = Run().says("planner", "Let us count.").calls("count", {"depot": "Basel"}, 41).says("writer", "It holds 41.")

    assert run.causes() == []


def test_scores_add_up_to_one_and_the_best_comes_first() -> None:
    run = Run().says("planner", "Let us count.").calls("count", {"depot": "Basel"}, 41).says("writer", "It holds 41.")

    found = run.causes(Complaint())

    assert sum(cause.score for cause in found) == pytest.approx(1)
    assert [cause.score for cause in found] == sorted((cause.score for cause in found), reverse=True)


def test_without_evidence_the_first_act_that_decides_something_comes_first() -> None:
    run = Run().says("host", f"Please answer: {TASK}").says("planner", "We ask around.").says("writer", "Nobody knows.")

    assert run.first(Complaint()) == (1, "planner")


def test_who_made_data_up_that_the_answer_repeats_comes_before_who_spoke_first() -> None:
    run = (
        Run()
        .says("planner", "We need the register of the depot.")
        .says("researcher", "There is none at hand, so with hypothetical data: the depot holds 57 trams.")
        .says("writer", "The depot holds 57 trams.")
    )

    assert run.first(Complaint()) == (1, "researcher")
    assert "57" in " ".join(run.causes(Complaint())[0].reasons)


@pytest.mark.parametrize(("value", "telling"), [("412", True), ("20", False), ("7", False), ("2024", False)])
def test_a_number_that_anybody_may_write_is_not_named_as_evidence(value: str, telling: bool) -> None:
    run = Run().says("planner", "We ask.").says("counter", f"It holds {value} trams.").says("writer", f"So {value}.")
    (reason,) = [one for cause in run.causes(Complaint()) for one in cause.reasons if "leads back" in one]

    assert reason == "100% of what the answer repeats leads back to it" + (f": first wrote {value}" if telling else "")


@pytest.mark.parametrize(("value", "first"), [("412", 1), ("20", 2)])
def test_an_error_is_about_no_number_that_anybody_may_write(value: str, first: int) -> None:
    run = Run().says("planner", "We ask.").says("counter", f"It holds {value} trams.")

    assert run.fails("check", f"{value} are too many").first()[0] == first


def test_a_number_that_a_call_brought_is_not_held_against_who_repeats_it() -> None:
    def reasons(stated: str) -> list[str]:
        run = Run().says("planner", "We count.").calls("count", {"of": "trams"}, "41 trams").says("writer", stated)
        return [reason for cause in run.causes(Complaint()) for reason in cause.reasons if "nothing before" in reason]

    assert reasons("It holds 41.") == []
    assert reasons("It holds 43.") == ["states 43, which nothing before it has"]


@pytest.mark.parametrize("nothing", ["", "[]", {"rows": None}])
def test_a_call_that_brought_nothing_comes_first(nothing: object) -> None:
    run = Run().says("planner", "We count.").says("worker", "I ask the register.").calls("count", {"at": "B"}, nothing)

    assert run.says("writer", "It is not known.").first(Complaint()) == (2, "worker")


def test_of_a_call_that_was_refused_who_asked_comes_first() -> None:
    run = Run().says("planner", "We count.").says("worker", "I ask the register.")

    assert run.calls("count", {"at": "B"}, "Error: no such depot").first(Complaint()) == (1, "worker")


def test_of_a_call_that_runs_code_and_brought_nothing_who_wrote_the_code_comes_first() -> None:
    run = Run().says("planner", "We count.").says("coder", "I run this.").calls("run", {"code": "print(0)"}, "0")

    assert run.says("writer", "It is not known.").first(Complaint()) == (1, "coder")


def test_a_call_that_was_made_good_is_held_against_nobody() -> None:
    run = (
        Run()
        .says("planner", "We count.")
        .says("worker", "I ask the register.")
        .calls("count", {"at": "B"}, error="timeout")
        .says("worker", "Once more.")
        .calls("count", {"at": "B"}, "41")
        .says("writer", "It holds 41.")
    )

    assert [reason for cause in run.causes(Complaint()) for reason in cause.reasons if "no later call" in reason] == []


def test_saying_to_have_looked_something_up_without_a_call_is_a_reason() -> None:
    claims = "I have checked the register."
    without = Run().says("planner", "We ask.").says("worker", claims).says("writer", "Good.")
    after = Run().says("planner", "We ask.").calls("register", {"at": "B"}, "41 trams").says("worker", claims)

    assert without.first(Complaint()) == (1, "worker")
    assert [one for cause in after.causes(Complaint()) for one in cause.reasons if "no call led" in one] == []


def test_a_call_that_changes_something_is_a_reason_and_one_that_reads_is_none() -> None:
    def reasons(tool: str) -> list[str]:
        run = Run().asks("user", "All of them.").says("clerk", "Well.").calls(tool, {"order": "X-77"}, "done")
        return [reason for cause in run.causes(Complaint()) for reason in cause.reasons if tool in reason]

    assert reasons("cancel_order") == [
        "had cancel_order change something that cannot be taken back",
        "asked for what cancel_order changed",
    ]
    assert reasons("settings_of_order") == []


NOTES = "The depot in Basel holds 41 trams, and the board has approved two more."


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        (
            "Notes: The depot in Basel holds 410 trams, and the board has approved two more.",
            "read 410, which nobody wrote",
        ),
        (
            "Notes: The depot in Basel holds 41 trams, and the board has rejected two more.",
            "rejected instead of approved",
        ),
        (
            "Notes: The dzpot in Bavel hqlds 41 trxms, and the boaid has aqproved two morx.",
            "had been written otherwise",
        ),
        ("Notes: ", "read nothing of what its causes wrote"),
        (f"Notes:\n{NOTES}\n{NOTES}", "read twice"),
    ],
)
def test_a_task_that_read_something_else_than_was_written_comes_first(prompt: str, reason: str) -> None:
    run = Run().says("planner", "We count.").says("counter", NOTES).reads("writer", prompt, "So it is.")

    best = run.causes(Complaint())[0]

    assert best.agent == "writer"
    assert any(reason in one for one in best.reasons)


@pytest.mark.parametrize("prompt", [f"Notes: {NOTES}", NOTES.upper().lower() + NOTES, f"In 3 steps.\n{NOTES}\nThink."])
def test_a_task_that_read_what_was_written_is_not_said_to_have_missed_it(prompt: str) -> None:
    run = Run().says("planner", "We count.").says("counter", NOTES).reads("writer", prompt, "So it is.")

    assert [
        one for cause in run.causes(Complaint()) for one in cause.reasons if "arrived" in one or "read no" in one
    ] == []


@pytest.mark.parametrize(
    ("total", "told"), [("41", True), ("38", False), ("20", False), ("3", False), ("12.667", False)]
)
def test_a_number_that_is_computed_from_others_has_to_add_up(total: str, told: bool) -> None:
    run = Run().says("counter", "Track 20, trams 12, depot 6").says("adder", f"total {total}").says("writer", total)

    assert any("follows from nothing" in one for cause in run.causes(Complaint()) for one in cause.reasons) is told


def test_of_an_error_who_wrote_what_it_is_about_comes_first() -> None:
    run = (
        Run()
        .says("planner", "The depot's code is BSL-99.")
        .says("worker", "I look there.")
        .fails("counter", "ValueError: no depot has the code 'BSL-99'")
    )

    assert run.first() == (0, "planner")


def test_of_an_error_about_what_is_missing_its_own_span_comes_first() -> None:
    """Whoever wrote the name of a field did not take the field away."""
    run = Run().says("planner", "Use the field 'depot_code'.").fails("counter", "KeyError: 'depot_code'")

    assert run.first() == (1, "counter")


def test_addresses_in_an_error_are_no_values_that_it_is_about() -> None:
    run = Run().says("planner", "We use version 2.14 here.").says("writer", "It is done.")
    assert run.fails("check", "Invalid JSON, see https://errors.pydantic.dev/2.14/v/json").first() == (2, "check")


def test_of_an_error_from_outside_its_own_span_comes_first() -> None:
    run = Run().says("planner", "Ask BSL-99.").fails("counter", "connection to BSL-99 timed out")

    assert run.first() == (1, "counter")


def test_an_error_that_was_dealt_with_is_no_root_cause_of_a_run_that_ended_well() -> None:
    run = Run().says("planner", "We count.").calls("count", {"at": "B"}, error="boom").says("writer", "It holds 41.")

    assert run.causes() == []


def test_of_a_late_run_the_act_that_took_longer_than_its_like_comes_first() -> None:
    run = Run().says("a", "1").says("b", "2", seconds=9).says("b", "3").says("b", "4").says("c", "5", seconds=2)

    assert run.first(Complaint(ComplaintLabel.LATE)) == (1, "b")


def test_without_content_acts_are_ranked_by_order_and_nothing_breaks() -> None:
    graph, _ = Run().says("a", "one").calls("look", {}, "two").says("b", "three").read()

    assert root_cause(graph, RunContent(), complaint=Complaint())


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,234.50 and 12", {"1234.5", "12"}),
        ("[6559,4150,167]", {"6559", "4150", "167"}),
        ("6559,4150", {"6559", "4150"}),
        ("v1.2.3, x9", set()),
        ("0.0", {"0"}),
    ],
)
def test_numbers_are_read_in_one_form(text: str, numbers: set[str]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize("text", ["\x00", "```\n", "calls (", "9" * 5_000, "€" * 99, '{"a": [', "**"])
def test_texts_of_any_kind_are_read(text: str) -> None:
    assert Run().says("a", text).calls("look", text, text).says("b", text * 2).causes(Complaint())
