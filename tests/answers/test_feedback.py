"""Marks and findings that are recorded with a run: where they go, and what they leave as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import otel_mas
from otel_mas.api import Source
from otel_mas.cli import cli
from otel_mas.errors import StoreError, TraceNotFound, UnsupportedQuery
from otel_mas.model import Finding, Severity
from otel_mas.semconv import attributes as names
from tests.answers.answers import ANSWERS
from tests.backends.jaeger import Jaeger, Storage

TEAM = Path(__file__).with_name("example_team.jsonl.gz")
SECRET = "sk-0123456789abcdef0123456789"
SAME = ("critical path", "profile", "executions", "stages", "chains", "cost", "state", "findings", "final output")


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "runs.db"
    assert run("import", TEAM, "--may-ship", "--store", path).exit_code == 0
    return path


def finding(span: str) -> Finding:
    return Finding(
        code="slow-start", severity=Severity.WARNING, confidence=0.5, summary="it was slow", subject="x", spans=(span,)
    )


def listed(source: Source) -> list[object]:
    return [replace(one, span_count=0) for one in source.traces()]


def asked(source: Source) -> Mapping[str, object]:
    conversation = source.conversation("tram")
    found = {name: ANSWERS[name].ask(conversation) for name in SAME}
    found["profile"] = {**found["profile"], "spans": None}  # type: ignore[dict-item] # which are more
    return found


def test_a_mark_is_read_back_as_the_complaint(store: Path) -> None:
    with otel_mas.open(store) as source:
        source.conversation("tram").mark("wrong", reason="the line is 4.2 km", span="writer#1", author="ann")
        conversation = source.conversation("tram")
        complaint = conversation.explain().complaint

    assert complaint is not None
    assert (complaint.label, complaint.reason, complaint.author) == ("wrong", "the line is 4.2 km", "ann")
    assert complaint.span == conversation.span("writer#1").span_id


def test_marks_and_findings_leave_every_answer_and_the_lists_of_traces_as_they_are(store: Path) -> None:
    with otel_mas.open(store) as source:
        before, list_before = asked(source), listed(source)
        conversation = source.conversation("tram")
        for span in (None, "writer#1", "supervisor#2"):
            conversation.mark("late", span=span)
        assert conversation.record_findings([finding(conversation.span("writer#1").span_id)]) == 1
        assert asked(source) == before
        assert listed(source) == list_before


def test_a_finding_is_recorded_once(store: Path) -> None:
    with otel_mas.open(store) as source:
        one = finding(source.conversation("tram").span("writer#1").span_id)
        assert source.conversation("tram").record_findings([one]) == 1
        assert source.conversation("tram").record_findings([one, replace(one, subject="y")]) == 1
        kept = [span for span in source.conversation("tram").spans if span.get(names.MAS_EVALUATION_SOURCE)]

    assert [span.get(names.GEN_AI_EVALUATION_NAME) for span in kept] == ["slow-start", "slow-start"]
    assert {span.get(names.GEN_AI_EVALUATION_SCORE_LABEL) for span in kept} == {"warning"}


def test_secrets_are_taken_out_of_the_reason(store: Path) -> None:
    assert run("mark", "--conversation", "tram", "--wrong", "--because", f"it had {SECRET}", "--store", store)

    shown = run("log", "--conversation", "tram", "--kind", "evaluation", "--store", store).stdout
    assert "it had" in shown
    assert SECRET not in shown
    assert SECRET.encode() not in store.read_bytes()


def test_without_content_the_label_is_kept_and_the_reason_is_not(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_CONTENT", "none")
    run("mark", "--conversation", "tram", "--wrong", "--because", "a private reason", "--store", store)

    with otel_mas.open(store) as source:
        complaint = source.conversation("tram").explain().complaint
    assert complaint is not None
    assert (complaint.label, complaint.reason) == ("wrong", None)


def test_a_mark_of_a_run_that_was_shipped_already_is_shipped_too(
    store: Path, tmp_path: Path, jaeger: Callable[[Storage], Jaeger]
) -> None:
    server = jaeger("memory")
    archive = tmp_path / "archive.jsonl"
    places = (f"--endpoint=http://{server.otlp_http}",), ("--to", f"file:{archive}")
    for place in places:
        assert run("ship", "--store", store, *place, "--once", "--from-start").exit_code == 0
    marked = json.loads(run("mark", "--conversation", "tram", "--missing", "--store", store, "--json").stdout)
    for place in places:
        assert run("ship", "--store", store, *place, "--once").exit_code == 0

    with otel_mas.open(store) as source:
        lasted = source.trace(marked["trace"]).graph().critical_path().total_ns
    for location in (str(archive), f"jaeger+http://{server.http}"):
        with otel_mas.open(location) as source:
            trace = source.trace(marked["trace"])
            complaint = trace.explain().complaint
            assert complaint is not None, location
            assert complaint.label == "missing"
            assert trace.graph().critical_path().total_ns == lasted
            assert trace.span(marked["span"]).get(names.MAS_EVALUATION_SOURCE) == "feedback"


def test_a_run_that_may_not_leave_keeps_its_marks_here(tmp_path: Path) -> None:
    store, archive = tmp_path / "runs.db", tmp_path / "archive.jsonl"
    run("import", TEAM, "--store", store)
    run("mark", "--conversation", "tram", "--wrong", "--store", store)
    run("ship", "--store", store, "--to", f"file:{archive}", "--once", "--from-start")

    assert not archive.exists() or b"evaluate feedback" not in archive.read_bytes()


def test_the_command_says_what_it_marked_and_how_to_go_on(store: Path) -> None:
    result = run("mark", "--conversation", "tram", "--span", "writer#1", "--wrong", "--score", "0", "--store", store)

    assert result.stdout.startswith("Marked writer#1 in trace ")
    assert result.stdout.endswith(" as wrong and score 0.\n")
    assert "otel-mas explain --conversation tram --store" in result.stderr


def test_what_is_not_there_or_means_nothing_is_refused(store: Path) -> None:
    assert run("mark", "--store", store).exit_code == 2
    assert "no trace ffff" in run("mark", "ffff", "--wrong", "--store", store).stderr
    assert "no span and no task 'nobody'" in run("mark", "--wrong", "--span", "nobody", "--store", store).stderr
    assert "can only be read" in run("mark", "--wrong", "--store", TEAM).stderr
    with otel_mas.open(store) as source:
        trace = source.latest()
        with pytest.raises(UnsupportedQuery, match="a judgement is missing"):
            trace.mark()
        with pytest.raises(TraceNotFound):
            trace.mark("wrong", span="nobody")
        with pytest.raises(TypeError):
            trace.mark(score="low")  # type: ignore[arg-type]


def test_a_store_that_cannot_be_written_is_refused(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from otel_mas.errors import StoreReadOnly
    from otel_mas.receiver import targets

    def refuse(*_: object, **__: object) -> None:
        raise StoreReadOnly(f"the store at {store} cannot be written")

    with otel_mas.open(store) as source:
        trace = source.latest()
        monkeypatch.setattr(targets, "StoreWriter", refuse)  # the user of the tests may be root, who writes everything
        with pytest.raises(StoreError, match="cannot be written"):
            trace.mark("wrong")


def test_the_command_records_findings_once_and_says_how_many(tmp_path: Path) -> None:
    store = tmp_path / "runs.db"
    otel_mas.instrument(store=store)
    with otel_mas.workflow("trip"), otel_mas.agent("booker"):
        for _ in range(4):
            with otel_mas.tool("search") as search:
                search.arguments(town="Lisbon")
                search.result("nothing new")
    otel_mas.shutdown(30)
    words = ("findings", "--code", "tool-call-loop", "--record", "--json", "--store", store)
    first, second = run(*words), run(*words)

    assert len(json.loads(first.stdout)) == 1
    assert "1 of 1 findings were recorded" in first.stderr
    assert "0 of 1 findings were recorded" in second.stderr
    assert first.stdout == second.stdout
    assert run("findings", "--record", "--since", "1d", "--store", store).exit_code == 2
