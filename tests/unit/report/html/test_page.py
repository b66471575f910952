"""The report for people who were not there."""

from __future__ import annotations

import re
from types import ModuleType

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.cost import cost
from otel_mas.causal import build
from otel_mas.model import Content, Finding, Message, MessageRef, Severity, Trace
from otel_mas.report.html.page import Material, page
from otel_mas.report.html.tree import tree
from otel_mas.semconv import attributes as names


def text(document: str) -> str:
    body = re.sub(r"<style>.*?</style>", "", document, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def material(*traces: Trace, **more: object) -> Material:
    causal = build(traces)
    return Material(causal, causal.critical_path(), cost(causal.spans), **more)  # type: ignore[arg-type]


def test_it_tells_the_whole_story(team: ModuleType) -> None:
    phrase = text(page(material(*team.research_traces(), problems=["3 spans were dropped"]), "otel-mas 1.2.3"))
    for part in (
        "Ended ok",
        "Started 2026-11-21 10:00:00+00:00",
        "Took 1m 06s: 7.50 s at work, 59.00 s waiting for input",
        "8 model calls",
        "or more simulated",
        "Thread demo-1",
        f"2 Traces {team.FIRST} {team.SECOND}",
        "What the time went into",
        "What it cost",
        "What ran inside what",
        "3 spans were dropped",
        "Made by otel-mas 1.2.3.",
    ):
        assert part in phrase, part


def test_nothing_is_loaded_whatever_it_holds(team: ModuleType) -> None:
    document = page(material(*team.research_traces()), "otel-mas")
    assert "default-src &#x27;none&#x27;" in document
    assert not re.search(r"<(script|link|img|iframe)\b|\ssrc=|\shref=|@import|url\(", document)


def test_what_waits_stands_at_the_top_with_the_question(team: ModuleType) -> None:
    trace = team.research_traces()[0]
    paused = next(span for span in trace.spans if span.task_name == "approve")
    asked = Content(trace.trace_id, paused.span_id, names.MAS_INTERRUPT_VALUES, ["Publish this?"])
    phrase = text(page(material(trace, content=RunContent.gathered([], {}, [asked], kept=True)), "otel-mas"))
    assert phrase.index("waits for input : approve") < phrase.index("Publish this?") < phrase.index("since 10:00:00")
    assert "approve#1 → a person Publish this?" in phrase


def test_what_was_said_is_there_and_long_texts_are_folded(team: ModuleType) -> None:
    trace = team.research_traces()[0]
    chats = [span for span in trace.spans if span.record_kind == "LLM_CALL"]
    long = "The tide\n" * 100
    refs = [
        MessageRef(trace.trace_id, chats[0].span_id, "output", 0, "a"),
        MessageRef(trace.trace_id, chats[1].span_id, "input", 0, "a"),
        MessageRef(trace.trace_id, chats[1].span_id, "input", 1, "b"),
    ]
    messages = {"a": Message("a", "assistant", {"parts": [{"type": "text", "content": long}]})}
    document = page(material(trace, content=RunContent(refs, messages, kept=True)), "otel-mas")
    phrase = text(document)
    assert "researcher#1/model#1 ← supervisor#1, the app assistant: The tide The tide" in phrase
    assert "899 characters" in phrase
    assert "<details><summary>The tide The tide" in document
    assert "content not kept" in phrase
    assert re.search(r"Content of \d+ of \d+ entries was not kept, or not all of it.", phrase)


def test_it_says_where_no_content_was_kept(team: ModuleType) -> None:
    trace = team.research_traces()[0]
    chat = next(span for span in trace.spans if span.record_kind == "LLM_CALL")
    refs = [MessageRef(trace.trace_id, chat.span_id, "input", 0, "a")]
    assert "keeps no content" in text(page(material(trace, content=RunContent(refs)), "otel-mas"))
    assert "The content was not kept" in text(page(material(trace, content=RunContent(refs, kept=True)), "otel-mas"))


def test_an_empty_trace_is_a_page_too() -> None:
    assert "No span was recorded." in text(page(material(Trace("a" * 32, ())), "otel-mas"))


def test_reasons_forks_and_who_read_whom_stand_in_the_tree(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    fork = {names.MAS_CHECKPOINT_ID: "1ef4f797", names.MAS_FORK_CHECKPOINT_ID: "1ef4f797"}
    run = built.span("invoke_workflow again", 0, 100, attributes={names.MAS_RECORD_KIND: "WORKFLOW", **fork})
    researcher = built.task("researcher", 1, 10, run)
    answer = built.chat(2, 9, researcher, 1, 1)
    routing = {names.MAS_RECORD_KIND: "ROUTING_DECISION", names.MAS_ROUTING_CHOICE: ("writer",)}
    route = built.span("route next", 9, 10, researcher, attributes=routing)
    writer = built.task("writer", 21, 30, run, ("trigger", researcher))
    built.span("chat gpt", 22, 29, writer, [("message", answer)], {names.MAS_RECORD_KIND: "LLM_CALL"})
    causal = build([built.trace()])
    phrase = tree(causal, 100, {route.span_id: "<b>no sources</b>"})
    assert "forked from checkpoint 1ef4f797" in phrase
    assert '→ writer <span class="om-dim">“&lt;b&gt;no sources&lt;/b&gt;”</span>' in phrase
    assert "read: researcher" in phrase


def test_findings_have_their_evidence_and_advice(team: ModuleType) -> None:
    trace = team.research_traces()[0]
    culprit = next(span for span in trace.spans if span.task_name == "approve")
    found = Finding(
        code="gave-up",
        severity=Severity.ERROR,
        confidence=0.7,
        summary="approve <gave> up",
        subject="approve",
        spans=(culprit.span_id,),
        saves_usd=0.5,
        advice="ask again",
    )
    phrase = text(page(material(trace, findings=[found]), "otel-mas"))
    assert (
        "What is wrong, and what to do error : approve &lt;gave&gt; up. gave-up · 70% sure · recorded · cost $0.5000. "
        "Shown by approve. ask again."
    ) in phrase
