"""The complaint and the root causes in the report and in notebooks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import otel_mas
from otel_mas.api import Source, Trace

ANSWERS = Path(__file__).parents[3] / "answers"
COMPLAINT = "Complaint: the answer, or a part of it, is missing: “when does it open?”"
REASONS = "read no opening, though it was known; wrote no opening, though it was known."


def text(document: str) -> str:
    body = re.sub(r"<style>.*?</style>", "", document, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.fixture
def source() -> Iterator[Source]:
    with otel_mas.open(str(ANSWERS / "faulty.jsonl.gz")) as source:
        yield source


@pytest.fixture
def marked(source: Source) -> Trace:
    trace = source.latest()
    assert trace is not None
    return trace


def test_the_report_begins_with_the_complaint_and_its_most_probable_cause(marked: Trace) -> None:
    page = text(marked.to_html())

    at = [page.index(part) for part in (COMPLAINT, "Most probable cause: writer", REASONS, "What caused what")]
    assert at == sorted(at)


def test_a_notebook_shows_them_above_the_picture(marked: Trace) -> None:
    shown = text(marked._repr_html_())

    assert shown.index(COMPLAINT) < shown.index(REASONS) < shown.index("causal-amnesia") < shown.index("critical path")


def test_an_explanation_shows_itself(marked: Trace) -> None:
    shown = text(marked.explain()._repr_html_())
    late = text(marked.explain(complaint="late")._repr_html_())

    assert shown.index(COMPLAINT) < shown.index(REASONS) < shown.index("causal-amnesia")
    assert "Complaint: it took too long." in late
    assert COMPLAINT not in late


def test_a_complaint_about_a_span_takes_its_label(marked: Trace) -> None:
    complaint = otel_mas.Complaint(reason="<b>no day</b>", span="writer#1", author="ann")
    shown = marked.explain(complaint=complaint)._repr_html_()

    assert "Complaint: writer is wrong, says ann: “<b>no day</b>”" in shown.replace("&lt;", "<").replace("&gt;", ">")
    assert "<b>no day" not in shown
    with pytest.raises(otel_mas.errors.TraceNotFound):
        marked.explain(complaint=otel_mas.Complaint(span="nobody"))


def test_a_run_against_which_nothing_speaks_has_no_such_section() -> None:
    with otel_mas.open(str(ANSWERS / "example_team.jsonl.gz")) as source:
        trace = source.latest()
        assert trace is not None
        page, explained = text(trace.to_html()), text(trace.explain()._repr_html_())

    assert "What most probably went wrong" not in page
    assert "No error ended this run, and no complaint about it is recorded." in explained
