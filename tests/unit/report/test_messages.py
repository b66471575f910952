"""Who told whom what."""

from __future__ import annotations

from types import ModuleType

from otel_mas.analyse.content import RunContent
from otel_mas.causal import CausalGraph, build
from otel_mas.model import Content, Message, MessageRef, Span
from otel_mas.report.messages import message_entries, refs_of, written
from otel_mas.semconv import attributes as names


def graph(team: ModuleType) -> tuple[CausalGraph, list[Span]]:
    causal = build(team.research_traces())
    return causal, [span for span in causal.spans if span.record_kind == "LLM_CALL"]


def test_a_message_names_the_task_that_wrote_it_and_those_that_read_it_once(team: ModuleType) -> None:
    causal, (first, second, third, *_) = graph(team)
    refs = [
        MessageRef(first.trace_id, first.span_id, "input", 0, "asked"),
        MessageRef(first.trace_id, first.span_id, "output", 0, "said"),
        MessageRef(second.trace_id, second.span_id, "input", 0, "said"),
        MessageRef(third.trace_id, third.span_id, "input", 0, "said"),
        MessageRef(third.trace_id, third.span_id, "input", 1, "said"),
    ]
    messages = {
        "asked": Message("asked", "user", {"role": "user", "parts": [{"type": "text", "content": "Tides?"}]}),
        "said": Message("said", "assistant", None),
    }
    asked, text = message_entries(causal, RunContent.gathered(refs, messages, [], kept=True))
    assert (asked.role, asked.text, asked.writer, asked.readers) == ("user", "Tides?", None, ["supervisor"])
    assert (text.text, text.writer) == (None, "supervisor")
    assert text.readers == ["researcher › model#1", "researcher › model#2"]
    assert asked.at_ns == first.start_ns
    assert text.at_ns == first.end_ns


def test_questions_to_people_and_their_answers_are_among_them(team: ModuleType) -> None:
    causal, _ = graph(team)
    paused = next(span for span in causal.spans if span.task_name == "approve")
    again = causal.roots[1]
    contents = [
        Content(paused.trace_id, paused.span_id, names.MAS_INTERRUPT_VALUES, ["Publish this?"]),
        Content(again.trace_id, again.span_id, names.MAS_RESUME_VALUES, "yes"),
        Content(again.trace_id, again.span_id, "gen_ai.tool.definitions", "no message"),
    ]
    question, answer = message_entries(causal, RunContent.gathered([], {}, contents, kept=True))
    assert (question.role, question.text, question.writer, question.readers) == (
        "question",
        "Publish this?",
        "approve",
        ["a person"],
    )
    assert (answer.role, answer.text, answer.writer, answer.readers) == ("answer", "yes", "a person", ["research_team"])


def test_spans_themselves_say_what_they_read_where_the_source_keeps_no_messages() -> None:
    span = Span(
        trace_id="a" * 32,
        span_id="b" * 16,
        parent_span_id=None,
        name="chat",
        start_ns=0,
        end_ns=1,
        columns={
            names.MAS_RECORD_KIND: "LLM_CALL",
            names.MAS_INPUT_MESSAGES: ("one", "two"),
            names.MAS_OUTPUT_MESSAGES: ("three",),
        },
    )
    assert [(ref.direction, ref.position, ref.digest) for ref in refs_of([span])] == [
        ("input", 0, "one"),
        ("input", 1, "two"),
        ("output", 0, "three"),
    ]


def test_every_part_of_a_message_is_written() -> None:
    parts = [
        {"type": "text", "content": "Look it up."},
        {"type": "tool_call", "name": "search", "arguments": {"query": "tides"}},
        {"type": "tool_call_response", "response": "high at noon"},
        {"type": "reasoning", "content": "it may help"},
        {"type": "uri", "modality": "image", "uri": "s3://x"},
        "bare",
    ]
    assert written({"role": "assistant", "parts": parts}).splitlines() == [
        "Look it up.",
        'calls search({"query":"tides"})',
        "high at noon",
        "[reasoning] it may help",
        '[uri] {"modality":"image","uri":"s3://x"}',
        "bare",
    ]


def test_a_body_of_another_shape_does_not_break_it() -> None:
    assert written({"content": ["odd"]}) == '["odd"]'
    assert written({}) == ""
