"""A causal graph as SVG."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType
from xml.etree import ElementTree

import pytest

from otel_mas.causal import build
from otel_mas.model import Link, Span, StatusCode, Trace
from otel_mas.report.svg import draw, scene
from otel_mas.semconv import attributes as names


def drawn(*traces: Trace) -> ElementTree.Element:
    causal = build(traces)
    return ElementTree.fromstring(draw(scene(causal, causal.critical_path()))[0])


def text(picture: ElementTree.Element, tag: str) -> list[str]:
    return ["".join(element.itertext()) for element in picture.iter(tag)]


def test_it_says_in_words_what_it_shows(team: ModuleType) -> None:
    picture = drawn(*team.research_traces())
    assert picture.get("role") == "img"
    assert picture.get("aria-label") == text(picture, "desc")[0]
    assert picture.get("aria-label") == (
        "14 tasks of supervisor, researcher, plan, summarise, collect, approve and 1 more over 1m 06s."
        " Of the branches that were joined, model#2 waited for tools#1, collect waited for summarise#3."
        " 59.00 s waiting for input are drawn short."
    )


def test_every_mark_has_its_numbers_at_hand(team: ModuleType) -> None:
    titles = text(drawn(*team.research_traces()), "title")
    assert any(title.startswith("plan: +3.00 s, 395 ms\nspan ") for title in titles)
    assert "chat gpt-4o-mini: +20 ms, 580 ms\n412 tokens in, 18 out, $0.000073 simulated" in titles
    assert "trigger: summarise#3 → collect, which ended last of what collect waited for" in titles
    assert "59.00 s waiting for input, not to scale" in titles


def test_the_legend_explains_what_is_there_and_nothing_else(team: ModuleType) -> None:
    one, two = team.research_traces()
    assert "not to scale" in text(drawn(one, two), "text")
    alone = text(drawn(one), "text")
    assert {"model", "tool", "critical path", "send", "last of a join"} <= set(alone)
    assert not {"retrieval", "resume", "not to scale", "handoff"} & set(alone)


def test_names_are_text_in_it(team: ModuleType) -> None:
    hostile = '"><script>alert(1)</script><image href=x onerror=alert(1)>'
    spans = [
        replace(span, name=hostile, columns={**span.columns, names.MAS_TASK_NAME: hostile})
        for span in team.research_traces()[0].spans
    ]
    picture = drawn(Trace(team.FIRST, tuple(spans)))
    tags = {element.tag for element in picture.iter()}
    assert tags <= {"svg", "g", "rect", "line", "path", "text", "tspan", "title", "desc"}
    assert all(not name.startswith("on") for element in picture.iter() for name in element.attrib)


def test_nothing_in_it_has_an_id_that_could_clash_with_the_page(team: ModuleType) -> None:
    picture = drawn(*team.research_traces())
    assert not any("id" in element.attrib for element in picture.iter())
    assert "url(" not in ElementTree.tostring(picture).decode()


@pytest.mark.parametrize("number", [0, 1])
def test_the_smallest_traces_are_drawn(number: int) -> None:
    span = Span(trace_id="a" * 32, span_id="b" * 16, parent_span_id=None, name="only", start_ns=5, end_ns=5)
    picture = drawn(Trace("a" * 32, (span,) * number))
    assert picture.tag == "svg"
    assert text(picture, "title")[0] == "What caused what"


def task(number: int, end_ns: int | None, status: StatusCode) -> Span:
    return Span(
        trace_id="a" * 32,
        span_id=f"{number:016x}",
        parent_span_id=None,
        name="task",
        start_ns=number,
        end_ns=end_ns,
        status=status,
        columns={names.MAS_TASK_ID: str(number), names.MAS_TASK_NAME: "work", names.ERROR_TYPE: "Boom"},
    )


def test_what_failed_and_what_never_ended_look_so() -> None:
    picture = drawn(Trace("a" * 32, (task(1, 10, StatusCode.ERROR), task(2, None, StatusCode.UNSET))))
    shapes = [element.get("class") for element in picture.iter("rect")]
    assert "om-bar om-failed" in shapes
    assert "om-bar om-open" in shapes
    assert any("failed (Boom)" in title for title in text(picture, "title"))


def test_coordinates_are_short(team: ModuleType) -> None:
    for element in drawn(*team.research_traces()).iter():
        for name, value in element.attrib.items():
            assert name == "aria-label" or not re.search(r"\d\.\d\d", value), (element.tag, name, value)


def test_where_causes_would_hide_the_tasks_those_of_the_critical_path_are_drawn() -> None:
    spans = []
    for number in range(1, 401):
        start = (number // 4) * 1_000_000 + number % 4
        links = tuple(Link("a" * 32, f"{cause:016x}", "trigger") for cause in (number - 4, number - 5) if cause > 0)
        spans.append(
            Span(
                trace_id="a" * 32,
                span_id=f"{number:016x}",
                parent_span_id=None,
                name="task",
                start_ns=start,
                end_ns=start + 900_000,
                links=links,
                columns={names.MAS_TASK_ID: str(number), names.MAS_TASK_NAME: f"lane {number % 4}"},
            )
        )
    causal = build([Trace("a" * 32, tuple(spans))])
    shown = scene(causal, causal.critical_path())
    picture, left_out = draw(shown)
    critical = sum(arrow.critical for arrow in shown.arrows)
    assert len(shown.arrows) > 700
    assert picture.count('class="om-edge ') == critical + 2  # and two in the legend
    assert left_out == [f"{len(shown.arrows) - critical} causes beside the critical path"]


def test_links_of_kinds_that_are_not_ours_are_drawn_too(team: ModuleType) -> None:
    one, other = task(1, 10, StatusCode.UNSET), task(20, 30, StatusCode.UNSET)
    linked = replace(other, links=(Link("a" * 32, one.span_id, "follows_from"),))
    titles = text(drawn(Trace("a" * 32, (one, linked))), "title")
    assert [title for title in titles if "→" in title] == ["follows_from: work#1 → work#2"]


def test_guardrails_and_grades_are_symbols_with_what_they_decided(team: ModuleType) -> None:
    built = team.TraceBuilder("aa" * 16)
    task = built.task("answer", 1, 90, built.workflow(0, 100, "ok"))
    guardrail = {names.MAS_RECORD_KIND: "GUARDRAIL", names.MAS_GUARDRAIL_VERDICT: "block"}
    built.span("guardrail privacy", 2, 10, task, attributes=guardrail)
    grade = {names.MAS_RECORD_KIND: "EVALUATION", names.GEN_AI_EVALUATION_SCORE_LABEL: "yes"}
    built.span("evaluate Relevance", 20, 30, task, attributes=grade)
    picture = drawn(built.trace())
    assert {"guardrail privacy → block: +2.0 ms", "evaluate Relevance → yes: +20 ms"} <= set(text(picture, "title"))
    assert {"guardrail", "grade"} <= set(text(picture, "text"))
    shapes = [element.get("class") for element in picture.iter("path")]
    assert [shape for shape in shapes if shape and shape.startswith("om-check")] == [
        "om-check om-blocked",
        "om-check",
        "om-check",  # and two in the legend
        "om-check",
    ]


def test_a_run_that_branched_off_says_so(team: ModuleType) -> None:
    one, two = team.research()
    fork = {names.MAS_CHECKPOINT_ID: "1ef4f797", names.MAS_FORK_CHECKPOINT_ID: "1ef4f797"}
    root = two.spans[0]
    two.spans[0] = replace(root, columns={**root.columns, **fork}, _body=None, load=None)
    titles = text(drawn(one.trace(), two.trace()), "title")
    assert any(title.endswith("run 2, forked from checkpoint 1ef4f797") for title in titles)
