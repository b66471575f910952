"""The picture in columns tells what the other answers tell about the same run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.analyse.failures import failures
from otel_mas.analyse.places import places
from otel_mas.api import Trace
from otel_mas.causal import CHILD
from otel_mas.report import json
from otel_mas.report.json.picture import picture
from otel_mas.report.svg.scene import scene
from otel_mas.report.text import plain

ARCHIVES = sorted((Path(__file__).resolve().parents[2] / "answers").glob("*.jsonl.gz"))


def _runs(archive: Path) -> Iterator[tuple[Trace, dict[str, Any]]]:
    """Each run of an archive, with its picture."""
    with otel_mas.open(archive) as source:
        for summary in source.traces(limit=1000):
            run = source.trace(summary.trace_id)
            graph = run.graph()
            yield run, dict(picture(graph.causal, graph.critical_path(), run.problems, run.questions()))


def _texts(shown: dict[str, Any], column: str) -> list[str | None]:
    strings = shown["strings"]
    return [None if number < 0 else strings[number] for number in shown["spans"][column]]


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name)
def runs(request: pytest.FixtureRequest) -> list[tuple[Trace, dict[str, Any]]]:
    return list(_runs(request.param))


def test_spans_are_those_of_the_graph_with_their_labels_times_and_parents(
    runs: list[tuple[Trace, dict[str, Any]]],
) -> None:
    for run, shown in runs:
        nodes = json.graph(run.graph().causal, run.problems)["nodes"]
        spans, start = shown["spans"], int(shown["start_ns"])
        assert spans["id"] == [node["span_id"] for node in nodes]
        assert _texts(shown, "label_s") == [node["label"] or None for node in nodes]
        assert [start + one for one in spans["start"]] == [node["start_ns"] for node in nodes]
        assert [None if one is None else start + one for one in spans["end"]] == [node["end_ns"] for node in nodes]
        parents = {child.span_id: span.span_id for span in run.spans for child in _children(run, span.span_id)}
        assert [None if above < 0 else spans["id"][above] for above in spans["parent"]] == [
            parents.get(one) for one in spans["id"]
        ]
        for number, above in enumerate(spans["parent"]):
            assert spans["depth"][number] == (0 if above < 0 else spans["depth"][above] + 1)


def _children(run: Trace, span_id: str) -> tuple[Any, ...]:
    return run.graph().causal.children_of(span_id)


def test_agents_and_errors_are_those_that_other_answers_name(runs: list[tuple[Trace, dict[str, Any]]]) -> None:
    for run, shown in runs:
        where = places(run.graph().causal)
        ids = shown["spans"]["id"]
        assert _texts(shown, "agent_s") == [plain(where[one].agent or "") or None for one in ids]
        failed = {span.span_id for span in failures(run.spans)}
        assert {one for one, error in zip(ids, shown["spans"]["error"], strict=True) if error} == failed


def test_edges_are_those_of_the_graph_and_joins_those_that_are_drawn(
    runs: list[tuple[Trace, dict[str, Any]]],
) -> None:
    for run, shown in runs:
        causal, ids, edges = run.graph().causal, shown["spans"]["id"], shown["edges"]
        strings = shown["strings"]
        found = [
            (None if cause < 0 else ids[cause], ids[effect], strings[kind], strings[provenance], gap)
            for cause, effect, kind, provenance, gap in zip(
                edges["cause"], edges["effect"], edges["kind_s"], edges["provenance_s"], edges["gap"], strict=True
            )
        ]
        forms = [form for form in json.graph(causal, ())["edges"] if form["kind"] != CHILD]
        expected = [
            (
                form["cause"] if form["cause"] in ids else None,
                form["effect"],
                form["kind"],
                form["provenance"],
                form["gap_ns"],
            )
            for form in forms
        ]
        assert sorted(found, key=str) == sorted(expected, key=str)
        joined = {
            (ids[cause], ids[effect])
            for cause, effect, last in zip(edges["cause"], edges["effect"], edges["joined"], strict=True)
            if last
        }
        drawn = scene(causal, causal.critical_path())
        bars = {bar.span.span_id for bar in drawn.bars}
        last = {(one.cause.span.span_id, one.effect.span.span_id) for one in drawn.arrows if one.last}
        assert {pair for pair in joined if bars.issuperset(pair)} == last


def test_the_critical_path_is_the_one_that_is_listed(runs: list[tuple[Trace, dict[str, Any]]]) -> None:
    for run, shown in runs:
        path, start = shown["critical_path"], int(shown["start_ns"])
        steps = json.critical_path(run.graph().causal, run.graph().critical_path(), ())["steps"]
        ids = shown["spans"]["id"]
        assert [start + end for end in path["end"]] == [step["end_ns"] for step in steps]
        assert [None if span < 0 else ids[span] for span in path["span"]] == [step["span_id"] for step in steps]
        assert [shown["strings"][kind] for kind in path["kind_s"]] == [step["kind"] for step in steps]


def test_waits_are_questions_to_people(runs: list[tuple[Trace, dict[str, Any]]]) -> None:
    for run, shown in runs:
        start, ids = int(shown["start_ns"]), shown["spans"]["id"]
        here = {span.span_id for span in run.spans}
        asked = [one for one in run.questions() if any(span.span_id in here for span in one.paused)]
        assert [(start + one["start"], one["overdue"]) for one in shown["waits"]] == [
            (one.asked_ns, one.overdue) for one in asked
        ]
        for one, question in zip(shown["waits"], asked, strict=True):
            assert ids[one["span"]] in {span.span_id for span in question.paused}
