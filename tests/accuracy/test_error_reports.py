"""Reports of errors in real runs: one for each error, with what it had, what led there, and who dealt with it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.tools import tool
from langgraph.graph import START, StateGraph
from langgraph.types import RetryPolicy
from langgraph.version import __version__

import otel_mas
from otel_mas.analyse.error_report import ErrorReport
from otel_mas.analyse.failures import ErrorOutcome
from otel_mas.api import ErrorReports
from otel_mas.report.json.errors import error
from otel_mas.report.markdown import errors as as_markdown
from tests.accuracy.cases.case import needs


class State(TypedDict, total=False):
    draft: str
    other: str


@tool
def archive(query: str) -> str:
    """Look it up."""
    raise ConnectionError(f"no route for {query}, api_key=sk-1234567890abcdefghijklmnopqrstuvwxyz")


@pytest.fixture
def reports(recorded: Path) -> Callable[[], tuple[ErrorReport, ...]]:
    def found() -> tuple[ErrorReport, ...]:
        assert otel_mas.flush(30)
        return otel_mas.open(recorded).latest().error_reports()

    return found


def run(nodes: dict[str, Any], *edges: Any, fails: bool = True, **options: Any) -> None:
    graph = StateGraph(State)
    for name, function in nodes.items():
        graph.add_node(name, function, **options.get(name, {}))
    for source, target, *ends in edges:
        if ends:
            graph.add_conditional_edges(source, target, ends[0])
        else:
            graph.add_edge(source, target)
    try:
        graph.compile(name="desk").invoke({"other": "given"})
    except Exception:
        assert fails
    else:
        assert not fails


def boss(state: State) -> State:
    otel_mas.routing_reason("the draft needs facts")
    return {"draft": "first"}


def reader(state: State) -> State:
    try:
        archive.invoke({"query": "trams"})
    except ConnectionError as error:
        raise RuntimeError("no facts") from error
    return {}


def test_a_report_has_all_that_was_recorded(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    nodes = {"boss": boss, "reader": reader, "typist": lambda state: {"other": "typed"}}
    run(nodes, (START, "boss"), ("boss", lambda state: ["reader", "typist"], ["reader", "typist"]))
    (report,) = reports()

    assert report.task == "reader#1 › execute_tool archive"
    assert report.type == "ConnectionError"
    assert report.message == "no route for trams, api_key=[redacted]"
    assert report.outcome is ErrorOutcome.ENDED_THE_RUN
    assert [(one.task, one.type, one.message) for one in report.raised] == [("reader#1", "RuntimeError", "no facts")]
    source = report.exceptions[-1].frames[-1].source or ""
    assert source.startswith('raise ConnectionError(f"no route for {query}')
    assert_source_is_shown_without_secrets(report)
    assert report.inputs == (("gen_ai.tool.call.arguments", '{"query":"trams"}'),)
    assert report.state is not None
    assert {one.channel: one.version for one in report.state.channels} == {"other": 1, "draft": 1}
    assert [(one.task, one.decision) for one in report.causes] == [
        ("desk", None),
        ("boss#1", "chose reader (“the draft needs facts”)"),
    ]
    assert [one.task for one in report.siblings] == ["typist#1"]
    assert report.environment["langgraph"] == __version__
    assert report.environment["otel-mas"]
    assert report.ids["trace"] == report.span.trace_id


def assert_source_is_shown_without_secrets(report: ErrorReport) -> None:
    around = report.exceptions[-1].frames[-1].around
    shown = ErrorReports([report])
    assert [text for _, text in around][:3] == ["@tool", "def archive(query: str) -> str:", '    """Look it up."""']
    for document in (shown.to_markdown(), shown.to_html(), shown._repr_html_(), str(error(report))):
        assert "def archive(query: str)" in document
        assert "sk-1234" not in document
    if find_spec("pandas"):
        assert shown.to_pandas().task.tolist() == ["reader#1 › execute_tool archive"]
        assert shown.to_arrow().num_rows == 1


def test_an_error_that_went_up_is_named_once(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    inner = StateGraph(State)
    inner.add_node("deep", lambda state: archive.invoke({"query": "x"}))
    inner.add_edge(START, "deep")
    run({"team": inner.compile()}, (START, "team"))
    (report,) = reports()
    assert report.task == "team#1/deep#1 › execute_tool archive"
    assert report.raised == ()


def test_what_ran_beside_the_tasks_around_it_is_told(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    def bad(state: State) -> State:
        raise ValueError("x" * 5_000)

    inner = StateGraph(State)
    inner.add_node("first", lambda state: {})
    inner.add_node("bad", bad)
    inner.add_edge(START, "first")
    inner.add_edge("first", "bad")
    run({"team": inner.compile(), "other": lambda state: {}}, (START, "team"), (START, "other"))
    (report,) = reports()
    assert (report.task, [one.task for one in report.siblings]) == ("team#1/bad#1", ["other#1"])
    first = as_markdown([report]).splitlines()[0]
    assert "ValueError: xxx" in first
    assert len(first) < 500


def test_an_error_that_was_dealt_with_says_by_whom(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    def tolerant(state: State) -> State:
        try:
            archive.invoke({"query": "x"})
        except ConnectionError:
            pass
        return {}

    run({"tolerant": tolerant}, (START, "tolerant"), fails=False)
    (report,) = reports()
    assert report.outcome is ErrorOutcome.HANDLED
    assert report.handled_by == ("tolerant#1",)


def test_another_error_in_the_same_task_has_its_own_report(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    def careless(state: State) -> State:
        try:
            archive.invoke({"query": "x"})
        except ConnectionError:
            pass
        raise ValueError("something else")

    run({"careless": careless}, (START, "careless"))
    assert {(one.type, one.task) for one in reports()} == {
        ("ConnectionError", "careless#1 › execute_tool archive"),
        ("ValueError", "careless#1"),
    }
    assert all(one.raised == () for one in reports())


@needs((1, 2))
def test_an_error_handler_is_named(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    def bad(state: State) -> State:
        raise ValueError("it is bad")

    graph = StateGraph(State)
    graph.add_node("bad", bad, error_handler=lambda state: {"draft": "rescued"})
    graph.add_edge(START, "bad")
    graph.compile().invoke({})
    (report,) = reports()
    assert report.outcome is ErrorOutcome.HANDLED
    assert report.handled_by == ("__error_handler__bad#1",)


def test_attempts_that_fail_alike_are_one_report(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    def bad(state: State) -> State:
        raise ValueError("it is bad")

    policy = RetryPolicy(max_attempts=3, initial_interval=0, jitter=False, retry_on=ValueError)
    run({"bad": bad}, (START, "bad"), bad={"retry_policy": policy})
    (report,) = reports()
    assert len(report.attempts) == 2
    assert report.outcome is ErrorOutcome.ENDED_THE_RUN


def test_the_members_of_a_group_are_told(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    def bad(state: State) -> State:
        raise ExceptionGroup("both", [ValueError("one"), OSError("two")])

    run({"bad": bad}, (START, "bad"))
    (report,) = reports()
    assert [(one.type, one.relation.value) for one in report.exceptions] == [
        ("ExceptionGroup", "raised"),
        ("ValueError", "member"),
        ("OSError", "member"),
    ]


def test_without_content_it_says_that_nothing_was_kept(tmp_path: Path) -> None:
    otel_mas.instrument(store=str(tmp_path / "none.db"), content="none")
    run({"reader": reader}, (START, "reader"))
    otel_mas.shutdown(30)
    with otel_mas.open(tmp_path / "none.db") as source:
        (report,) = source.latest().error_reports()
    assert (report.type, report.message, report.stack) == ("ConnectionError", None, None)
    assert "OTEL_MAS_CONTENT=none" in (report.missing or "")


def test_a_run_without_errors_has_no_report(reports: Callable[[], tuple[ErrorReport, ...]]) -> None:
    run({"boss": boss}, (START, "boss"), fails=False)
    assert reports() == ()
    assert as_markdown(()) == "No error was recorded.\n"
