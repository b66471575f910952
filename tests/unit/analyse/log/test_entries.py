"""Entries of every kind: where they come from, and what makes none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.log import Entry, EntryFilter, EntryKind, EntryMaker, log
from otel_mas.causal import build
from otel_mas.model import Content, Event, Message, MessageRef, Span, SpanBody, StatusCode, Trace
from otel_mas.report.terminal import log as terminal_log
from otel_mas.semconv import attributes as names

MESSAGES = {
    digest: Message(digest, role, {"role": role, "parts": [{"type": "text", "content": text}]})
    for digest, role, text in (
        ("s", "system", "Be brief."),
        ("u", "user", "Tides?"),
        ("a", "assistant", "High\nat noon."),
        ("t", "tool", "2 m"),
    )
} | {"none": Message("none", "user", None)}


def refs(span: Span, read: Sequence[str] = (), wrote: Sequence[str] = ()) -> list[MessageRef]:
    both = (("input", read), ("output", wrote))
    return [
        MessageRef(span.trace_id, span.span_id, side, number, digest)
        for side, digests in both
        for number, digest in enumerate(digests)
    ]


def contents(span: Span, values: Mapping[str, Any]) -> list[Content]:
    return [Content(span.trace_id, span.span_id, name, value) for name, value in values.items()]


def entries(builder: Any, *parts: list[Any], full: bool = False, **more: Any) -> list[Entry]:
    found = [one for part in parts for one in part]
    content = RunContent.gathered(
        [one for one in found if isinstance(one, MessageRef)],
        MESSAGES | more.pop("messages", {}),
        [one for one in found if isinstance(one, Content)],
        kept=True,
    )
    return list(log(build((builder.trace(),)), content, maker=EntryMaker(full=full)))


def of(kind: EntryKind, found: Sequence[Entry]) -> list[Entry]:
    return [one for one in found if one.kind is kind]


@pytest.fixture
def builder(team: ModuleType) -> Any:
    return team.TraceBuilder(team.FIRST)


def kind(name: str, **attributes: Any) -> dict[str, Any]:
    return {names.MAS_RECORD_KIND: name, **attributes}


def test_a_run_starts_with_its_input_and_ends_with_its_outcome(builder: Any) -> None:
    run = builder.span(
        "invoke_workflow tides",
        0,
        100,
        attributes=kind("WORKFLOW")
        | {
            names.GEN_AI_OPERATION_NAME: "invoke_workflow",
            names.GEN_AI_AGENT_NAME: "tides",
            names.MAS_RUN_OUTCOME: "ok",
            names.MAS_STATE_CHANGED: ("question", "notes"),
            names.MAS_STATE_DIGESTS: ("d" * 32, "size:70000"),
        },
    )
    value = {"d" * 32: Message("d" * 32, "state", {"value": "Tides?"})}
    start, end = entries(builder, messages=value)
    assert (start.kind, start.sender, start.receiver, start.time_ns) == ("run_start", "the app", "tides", run.start_ns)
    assert (
        start.text
        == "question: Tides?\nnotes: (too large to read while the app ran: 70,000 characters, bytes or items)"
    )
    assert start.channels == ("question", "notes")
    assert (end.kind, end.outcome, end.time_ns, end.duration_ns) == ("run_end", "ok", run.end_ns, run.duration_ns)


def test_a_prompt_has_what_is_new_to_its_reader_and_names_the_writers(builder: Any) -> None:
    run = builder.workflow(0, 100, "ok")
    one = builder.task("one", 10, 50, run)
    first, second = builder.chat(11, 20, one, 1, 1), builder.chat(30, 40, one, 1, 1)
    other = builder.chat(61, 70, builder.task("two", 60, 90, run), 1, 1)
    parts = refs(first, ["s", "u"], ["a"]), refs(second, ["s", "u", "a", "t"], ["a"]), refs(other, ["a"])
    asked, again, elsewhere = of(EntryKind.PROMPT, entries(builder, *parts))
    assert (asked.text, asked.digests, asked.sender) == ("system: Be brief.\nuser: Tides?", ("s", "u"), "system, user")
    assert (again.text, again.known_messages, again.sender) == ("tool: 2 m", 3, "tool")
    assert (elsewhere.text, elsewhere.sender, elsewhere.receiver) == ("assistant: High\nat noon.", "one#1", "two#1")
    whole = of(EntryKind.PROMPT, entries(builder, *parts, full=True))[1]
    assert (whole.digests, whole.known_messages) == (("s", "u", "a", "t"), 0)


def test_a_prompt_without_anything_new_says_so_and_one_that_was_not_kept_too(builder: Any) -> None:
    task = builder.task("one", 10, 50, builder.workflow(0, 100, "ok"))
    calls = [builder.chat(start, start + 5, task, 1, 1) for start in (11, 20, 30)]
    parts = refs(calls[0], ["u", "none"]), refs(calls[1], ["u"])
    first, second, third = of(EntryKind.PROMPT, entries(builder, *parts))
    assert (first.text, first.missing) == ("user: Tides?\nuser: (content not kept)", "content not kept")
    assert (second.text, second.missing, second.known_messages) == (None, None, 1)
    assert (third.text, third.missing) == (None, "content not kept")


def test_an_answer_has_its_tokens_and_its_price(builder: Any) -> None:
    call = builder.chat(11, 20, builder.task("one", 10, 50, builder.workflow(0, 100, "ok")), 900, 7)
    answer = of(EntryKind.ANSWER, entries(builder, refs(call, ["u"], ["a"])))[0]
    assert (answer.text, answer.task, answer.model) == ("High\nat noon.", "one#1", "gpt-4o-mini")
    assert (answer.input_tokens, answer.output_tokens, answer.duration_ns) == (900, 7, call.duration_ns)
    assert answer.cost_usd == pytest.approx(0.0001392)


def test_a_task_answers_only_with_messages_of_its_own(builder: Any) -> None:
    task = builder.task("one", 10, 50, builder.workflow(0, 100, "ok"))
    call = builder.chat(11, 20, task, 1, 1)
    found = of(EntryKind.ANSWER, entries(builder, refs(call, [], ["a"]), refs(task, [], ["a", "t"])))
    assert [(one.span_id, one.digests) for one in found] == [(call.span_id, ("a",)), (task.span_id, ("t",))]


def test_a_tool_is_called_and_returns(builder: Any) -> None:
    tool = builder.tool("gauge", 11, 20, builder.task("tools", 10, 50, builder.workflow(0, 100, "ok")))
    values = {names.GEN_AI_TOOL_CALL_ARGUMENTS: {"at": "noon"}, names.GEN_AI_TOOL_CALL_RESULT: "2 m"}
    found = entries(builder, contents(tool, values), refs(tool, [], ["t"]))
    (call,), (result,) = of(EntryKind.TOOL_CALL, found), of(EntryKind.TOOL_RESULT, found)
    assert (call.sender, call.receiver, call.text, call.tool) == ("tools#1", "gauge", '{"at":"noon"}', "gauge")
    assert (result.sender, result.receiver, result.text, result.digests) == ("gauge", "tools#1", "2 m", ("t",))


def test_what_was_withheld_says_why(builder: Any) -> None:
    tool = builder.tool("gauge", 11, 20, builder.task("tools", 10, 50, builder.workflow(0, 100, "ok")))
    values = {names.GEN_AI_TOOL_CALL_ARGUMENTS: {"$withheld": "it took too long"}}
    call, result = (one for one in entries(builder, contents(tool, values)) if one.tool)
    assert (call.text, call.missing) == (None, "withheld: it took too long")
    assert (result.text, result.missing) == (None, "content not kept")


def test_a_send_and_a_hand_off_come_before_what_the_task_does(builder: Any) -> None:
    run = builder.workflow(0, 100, "ok")
    plan = builder.task("plan", 5, 10, run)
    sent = builder.task("work", 11, 20, run, ("send", plan))
    builder.task("expert", 21, 30, run, ("handoff", sent), ("trigger", plan))
    found = [one for one in entries(builder) if one.kind in (EntryKind.SEND, EntryKind.HANDOFF)]
    assert [(one.kind, one.sender, one.receiver, one.provenance) for one in found] == [
        ("send", "plan#1", "work#1", "recorded"),
        ("handoff", "work#1", "expert#1", "recorded"),
    ]


def test_decisions_have_their_reasons(builder: Any) -> None:
    task = builder.task("one", 10, 90, builder.workflow(0, 100, "ok"))
    route = builder.span("route r", 11, 12, task, attributes=kind("ROUTING_DECISION") | {
        names.MAS_ROUTING_CHOICE: ("writer", "editor"),
    })  # fmt: skip
    check = builder.span("guardrail pii", 21, 22, task, attributes=kind("GUARDRAIL") | {
        names.MAS_GUARDRAIL_NAME: "pii", names.MAS_GUARDRAIL_VERDICT: "block",
    })  # fmt: skip
    builder.span("evaluate good", 31, 32, task, attributes=kind("EVALUATION") | {
        names.GEN_AI_EVALUATION_NAME: "good", names.GEN_AI_EVALUATION_SCORE_VALUE: 0.5,
    })  # fmt: skip
    found = entries(
        builder,
        contents(route, {names.MAS_ROUTING_REASON: "two are open"}),
        contents(check, {names.MAS_GUARDRAIL_REASON: "a name"}),
    )
    decided = [one for one in found if one.kind in (EntryKind.ROUTE, EntryKind.GUARDRAIL, EntryKind.EVALUATION)]
    assert [(one.kind, one.sender, one.outcome, one.text, one.missing) for one in decided] == [
        ("route", "one#1", "writer, editor", "two are open", None),
        ("guardrail", "pii", "block", "a name", None),
        ("evaluation", "good", "0.5", None, None),
    ]


def test_a_retrieval_lists_its_documents(builder: Any) -> None:
    task = builder.task("one", 10, 90, builder.workflow(0, 100, "ok"))
    query = builder.span("retrieval Archive", 11, 12, task, attributes=kind("RETRIEVAL"))
    values = {names.GEN_AI_RETRIEVAL_QUERY_TEXT: "tides", names.GEN_AI_RETRIEVAL_DOCUMENTS: [{"id": 1}, {"id": 2}]}
    (one,) = of(EntryKind.RETRIEVAL, entries(builder, contents(query, values)))
    assert (one.receiver, one.text) == ("retrieval Archive", 'tides\n{"id":1}\n{"id":2}')


def test_only_the_innermost_paused_task_asks_and_the_person_answers(builder: Any) -> None:
    run = builder.workflow(0, 100, "interrupted")
    outer = builder.task("outer", 10, 90, run, outcome="interrupted")
    inner = builder.task("inner", 20, 80, outer, outcome="interrupted")
    answer = builder.span("human_input inner", 30, 30, inner, attributes=kind("HUMAN_INPUT"))
    found = entries(
        builder,
        contents(inner, {names.MAS_INTERRUPT_VALUES: ["Publish?"]}),
        contents(answer, {names.MAS_RESUME_VALUES: {"yes": True}}),
    )
    (question,), (said,) = of(EntryKind.QUESTION, found), of(EntryKind.HUMAN_INPUT, found)
    assert (question.task, question.receiver, question.text) == ("outer#1/inner#1", "a person", "Publish?")
    assert (said.sender, said.receiver, said.text) == ("a person", "outer#1/inner#1", '{"yes":true}')


def test_a_task_writes_channels_with_their_values(builder: Any) -> None:
    digest, listed = "d" * 32, "e" * 32
    attributes = {
        names.MAS_STATE_CHANGED: ("next", "messages", "lost"),
        names.MAS_STATE_DIGESTS: (digest, listed, "f" * 32),
    }
    builder.span("task one", 10, 20, builder.workflow(0, 100, "ok"), attributes=kind("AGENT_TASK") | attributes)
    values = {
        digest: Message(digest, "state", {"value": {"who": "writer"}}),
        listed: Message(listed, "state", {"value": ["u", "t"]}),
    }
    (one,) = of(EntryKind.STATE, entries(builder, messages=values))
    assert one.text == (
        'next: {"who":"writer"}\nmessages: 2 messages\n  user: Tides?\n  tool: 2 m\nlost: (content not kept)'
    )
    assert (one.channels, one.missing) == (("next", "messages", "lost"), "content not kept")


def test_what_a_state_lost_is_said_once(builder: Any) -> None:
    kept = "d" * 32
    attributes = {
        names.MAS_STATE_CHANGED: ("next", "reason", "who"),
        names.MAS_STATE_DIGESTS: ("f" * 32, "a" * 32, kept),
    }
    builder.span("task one", 10, 20, builder.workflow(0, 100, "ok"), attributes=kind("AGENT_TASK") | attributes)
    values = {kept: Message(kept, "state", {"value": "writer"})}
    (one,) = of(EntryKind.STATE, entries(builder, messages=values))
    assert one.text == "who: writer\nnext, reason: (content not kept)"
    shown = [line.plain for line in terminal_log([one], 120, 0)]
    assert sum(line.count("content not kept") for line in shown) == 1
    assert shown[-1].strip() == "next, reason: (content not kept)"


def test_an_error_stands_where_it_happened_and_not_where_it_passed(builder: Any) -> None:
    run = builder.workflow(0, 100, "error")
    task = builder.task("one", 10, 90, run, outcome="error", status=StatusCode.ERROR)
    tool = builder.tool("gauge", 20, 30, task)
    tool.status = StatusCode.ERROR
    tool._body = SpanBody(tool.attributes | {names.ERROR_TYPE: "ValueError"})
    tool.columns = tool._body.attributes
    found = entries(builder, contents(tool, {names.EXCEPTION_MESSAGE: "no gauge"}))
    (error,) = of(EntryKind.ERROR, found)
    assert (error.span_id, error.outcome, error.text) == (tool.span_id, "ValueError", "no gauge")
    assert of(EntryKind.TOOL_RESULT, found) == []


def test_another_attempt_names_the_one_that_failed(builder: Any) -> None:
    run = builder.workflow(0, 100, "ok")
    failed = builder.task("one", 10, 20, run, id="same", outcome="error", status=StatusCode.ERROR)
    builder.task("one", 30, 40, run, ("retry", failed), id="same")
    (one,) = of(EntryKind.RETRY, entries(builder))
    assert (one.sender, one.receiver, one.provenance) == ("one#1", "one#1", "recorded")


def test_events_of_the_app_are_entries_and_exceptions_are_not(builder: Any) -> None:
    task = builder.task("one", 10, 90, builder.workflow(0, 100, "ok"))
    task._body = SpanBody(task.attributes, (Event("mas.stage", 5, {"mas.stage.name": "draft"}), Event("exception", 6)))
    (one,) = of(EntryKind.EVENT, entries(builder))
    assert (one.outcome, one.time_ns, one.text) == ("mas.stage", 5, "mas.stage.name: draft")


def test_messages_between_agents_leave_and_arrive(builder: Any) -> None:
    run = builder.workflow(0, 100, "ok")
    task, other = builder.task("one", 10, 40, run), builder.task("two", 50, 90, run)
    sent = builder.span("send two", 20, 21, task, attributes=kind("SEND") | {names.MAS_MESSAGE_PEER: "two"})
    came = builder.span(
        "receive one", 60, 61, other, [("message", sent)], kind("RECEIVE") | {names.MAS_MESSAGE_PEER: "one"}
    )
    found = entries(builder, refs(sent, [], ["u"]), refs(came, ["u"]))
    assert [(one.kind, one.sender, one.receiver, one.text) for one in found if one.kind in ("send", "receive")] == [
        ("send", "one#1", "two", "Tides?"),
        ("receive", "one", "two#1", "Tides?"),
    ]


def test_an_open_call_has_a_prompt_and_no_answer(builder: Any) -> None:
    call = builder.chat(11, None, builder.task("one", 10, None, builder.workflow(0, None, "ok")), 1, 1)
    assert [one.kind for one in entries(builder, refs(call, ["u"]))] == ["run_start", "prompt"]


def test_readers_know_what_they_read_in_an_earlier_run_of_their_thread(team: ModuleType) -> None:
    maker, found = EntryMaker(), []
    for trace_id in (team.FIRST, team.SECOND):
        builder = team.TraceBuilder(trace_id)
        call = builder.chat(11, 20, builder.task("one", 10, 50, builder.workflow(0, 100, "ok")), 1, 1)
        content = RunContent.gathered(refs(call, ["s", "u"]), MESSAGES, (), kept=True)
        found += of(EntryKind.PROMPT, list(log(build((builder.trace(),)), content, maker=maker)))
    assert [one.known_messages for one in found] == [0, 2]


def test_entries_are_chosen_by_agent_tool_model_kind_and_text(team: ModuleType) -> None:
    def chosen(**fields: Any) -> set[tuple[str, str]]:
        graph = build(team.research_traces())
        return {(one.kind, one.task) for one in log(graph, RunContent(), chosen=EntryFilter(**fields))}

    assert chosen(tool="web_search") == {
        ("tool_call", "researcher#1/tools#1"),
        ("tool_result", "researcher#1/tools#1"),
    }
    assert chosen(model="in-house-7b") == {("prompt", "summarise#2"), ("answer", "summarise#2")}
    assert {task for _, task in chosen(agent="researcher")} == {
        "researcher#1/model#1",
        "researcher#1/model#2",
        "researcher#1/tools#1",
        "researcher#1/tools#2",
        "supervisor#1",  # its route to the researcher
    }
    assert chosen(kinds={EntryKind.ROUTE}) == {("route", "supervisor#1")}
    assert chosen(text="nothing") == set()
    assert chosen(agent="search") == set()


def test_a_model_is_found_without_its_date_and_not_by_a_part_of_its_name() -> None:
    def matches(model: str, asked: str) -> bool:
        return EntryFilter(model=asked).matches(Entry(EntryKind.ANSWER, 0, "", "", "", model=model))

    assert matches("gpt-4o-2024-08-06", "gpt-4o")
    assert matches("claude-x-20250101", "claude-x")
    assert not matches("gpt-4o-mini", "gpt-4o")


def test_nothing_was_recorded() -> None:
    assert list(log(build((Trace("a" * 32, ()),)), RunContent())) == []
