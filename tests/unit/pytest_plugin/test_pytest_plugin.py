"""The plugin in test runs of a project: recordings are made and replayed, failures show the run."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.model_server import ModelServer

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[3] / "examples" / "ci"
QUICK = ("-p", "no:cacheprovider", "-p", "no:langsmith_plugin")


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(pace=0) as running:
        yield running


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """The example project, in the folder of the test."""
    shutil.copytree(PROJECT, pytester.path, dirs_exist_ok=True)
    return pytester.path


def test_recording_is_made_and_then_replayed_by_several_workers(
    project: Path, pytester: pytest.Pytester, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "fixtures" / "trams.jsonl").unlink()
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "local")

    pytester.runpytest_subprocess(*QUICK, "--otel-mas-record").assert_outcomes(passed=2)
    text = (project / "fixtures" / "trams.jsonl").read_text()
    assert not [one for one in (str(project), "process.owner", "host.name") if one in text]
    lines = [json.loads(line) for line in text.splitlines()]
    assert {len(line["resourceSpans"][0]["scopeSpans"][0]["spans"]) for line in lines} == {1}

    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.delenv("OPENAI_API_KEY")
    pytester.runpytest_subprocess(*QUICK, "-n", "2").assert_outcomes(passed=2)
    assert (project / "fixtures" / "trams.jsonl").read_text() == text


FAILING = """
import otel_mas
import pytest
from report_team import SUBJECT, build_team

replay = pytest.mark.otel_mas(replay="fixtures/trams.jsonl")

@replay
def test_other_request():
    build_team().invoke({"subject": "the ferry"})

@replay
def test_caught():
    try:
        build_team().invoke({"subject": "the ferry"})
    except otel_mas.errors.ReplayMiss:
        pass

@replay
def test_topology(assert_topology):
    build_team().invoke(SUBJECT)
    assert_topology("edit -> plan")

@replay
def test_counts(replayed, recorded):
    build_team().invoke(SUBJECT)
    assert (replayed.answered, replayed.live, replayed.missed) == (7, 0, 0)
    assert recorded.trace.findings().__class__.__name__ == "Findings"
    assert len(recorded.runs) == 1

@pytest.mark.parametrize("name", ["trams", "ferry"])
@pytest.mark.otel_mas(replay="fixtures/{name}.jsonl")
def test_of(name):
    build_team().invoke(SUBJECT)

@pytest.mark.otel_mas(replay="fixtures/trams.jsonl", lives="tools")
def test_argument():
    pass

def test_not_replayed(replayed):
    pass
"""


def test_failures_show_the_run_and_what_the_recording_lacks(project: Path, pytester: pytest.Pytester) -> None:
    (project / "test_report_team.py").unlink()
    with (project / "report_team.py").open("a") as file:
        file.write("\n\nSUBJECT = {'subject': 'the tram line of Elmstead'}\n")
    pytester.makepyfile(test_failing=FAILING)

    result = pytester.runpytest_subprocess(*QUICK)

    result.assert_outcomes(passed=2, failed=3, errors=3)
    for name in ("other_request", "caught", "topology"):
        assert f"FAILED test_failing.py::test_{name} - " in result.stdout.str()
    result.stdout.fnmatch_lines(
        [
            "*otel-mas: a call that the recording has no answer for*",
            "*nearest*tram line of Elmstead*",
            "*otel-mas: causal graph of trace*",
            "*plan*",
        ]
    )
    result.stdout.fnmatch_lines(["*Topology not as expected*", "*causal graph*", "*write_section#3 *send from plan*"])
    result.stdout.fnmatch_lines(["*ConfigError: there is no recording *ferry.jsonl: make it with*--otel-mas-record*"])
    result.stdout.fnmatch_lines(["*ConfigError: the marker otel_mas takes replay=*it has 'lives': did you mean live?*"])
    result.stdout.fnmatch_lines(["*ConfigError: this test is not replayed*"])


def test_failed_test_renews_no_recording(
    project: Path, pytester: pytest.Pytester, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "local")
    (project / "test_report_team.py").unlink()
    before = (project / "fixtures" / "trams.jsonl").read_text()
    pytester.makepyfile(
        """
        import pytest
        from report_team import build_team

        @pytest.mark.otel_mas(replay="fixtures/trams.jsonl")
        def test_fails():
            assert "ferry" in build_team().invoke({"subject": "trams"})["plan"]
        """
    )

    result = pytester.runpytest_subprocess(*QUICK, "--otel-mas-record")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*trams.jsonl stays as it was: the test failed*"])
    assert (project / "fixtures" / "trams.jsonl").read_text() == before


SEGMENT = """
from typing import TypedDict

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langgraph.graph import START, StateGraph

class State(TypedDict):
    text: str

def build():
    def step(name):
        return lambda state: {"text": str(FakeListChatModel(responses=[name]).invoke(state["text"]).content)}
    graph = StateGraph(State)
    for name, before in (("one", START), ("two", "one"), ("three", "two")):
        graph.add_node(name, step(name))
        graph.add_edge(before, name)
    return graph.compile()

def upper(call):
    return f"stub of {call.asked[-1].content}"

def test_unmarked():
    assert build().invoke({"text": "x"})["text"] == "three"

@pytest.mark.otel_mas(replay="run.jsonl", from_task="two#1", stub=upper)
def test_from(replayed, request):
    result = build().invoke({"text": "x"})["text"]
    if not request.config.getoption("--otel-mas-record"):
        assert result == "stub of stub of one"
        assert (replayed.answered, replayed.stubbed) == (1, 2)

@pytest.mark.otel_mas(replay="run.jsonl", from_task="two#1", to_task="two#1", stub=upper)
async def test_to(request):
    await build().ainvoke({"text": "x"})
    assert request.config.getoption("--otel-mas-record"), "the test is over before"

@pytest.mark.otel_mas(replay="run.jsonl", from_task="two#1", to_task="three#1", stub=upper)
def test_not_reached():
    pass

@pytest.mark.otel_mas(replay="run.jsonl", from_task="nobody#1")
def test_no_such_task():
    pass

@pytest.mark.otel_mas(replay="run.jsonl", to_task="two#1")
def test_no_beginning():
    pass
"""


def test_segment_of_the_marker_runs_again_and_a_test_is_over_where_it_ends(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_mode = auto\n")
    pytester.makepyfile(test_segment=SEGMENT)
    chosen = ("-k", "test_from")
    pytester.runpytest_subprocess(*QUICK, *chosen, "--otel-mas-record").assert_outcomes(passed=1, deselected=5)
    result = pytester.runpytest_subprocess(*QUICK)
    result.assert_outcomes(passed=3, failed=1, errors=2)
    result.stdout.fnmatch_lines(["*two#1 of the segment from two#1 to three#1 was not reached*"])
    result.stdout.fnmatch_lines_random(["*has no nobody#1; there is*", "*to_task='two#1' and no from_task*"])


def test_app_that_records_itself_goes_on_where_it_was(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        app="""
        import otel_mas
        from langchain_core.language_models.fake_chat_models import FakeListChatModel

        otel_mas.instrument(store="app.db")

        def ask(name):
            otel_mas.instrument(store="app.db")
            with otel_mas.agent(name):
                return FakeListChatModel(responses=["fine"]).invoke("How?")
        """,
        test_app="""
        import otel_mas
        import pytest
        from app import ask

        def names(source):
            return sorted(one.name.removeprefix("invoke_agent ") for one in source.traces())

        def test_recorded(recorded, assert_no_findings):
            ask("first")
            assert names(recorded.source) == ["first"]
            assert_no_findings()
            ask("second")
            assert len(recorded.runs) == 2
            with pytest.raises(otel_mas.errors.TraceNotFound, match="2 runs"):
                recorded.trace

        async def test_nothing_ran(recorded):
            assert recorded.runs == []
            with pytest.raises(otel_mas.errors.TraceNotFound, match="nothing"):
                recorded.trace

        def test_unmarked():
            ask("third")
            otel_mas.flush()
            with otel_mas.open("app.db") as source:
                assert names(source) == ["third"]
        """,
    )
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")

    pytester.runpytest_subprocess(*QUICK, "--strict-markers").assert_outcomes(passed=3)


def test_judge_is_asked_by_option_and_is_neither_replayed_nor_recorded(
    project: Path, pytester: pytest.Pytester
) -> None:
    (project / "test_report_team.py").unlink()
    pytester.makepyfile(
        """
        import pytest
        from langchain_core.language_models.fake_chat_models import FakeListChatModel
        from otel_mas.evaluate import EvaluationCase, Judge, JudgeScore
        from report_team import build_team

        class Strict:
            model_name = "strict"

            def with_structured_output(self, form, include_raw):
                return self

            def invoke(self, messages):
                said = FakeListChatModel(responses=["bad"]).invoke("Is it good?").content
                parts = {"accuracy": 1, "completeness": 1, "coherence": 1}
                score = JudgeScore(score=1, rationale=said, breakdown=parts)
                return {"raw": None, "parsed": score, "parsing_error": None}

        @pytest.mark.otel_mas(replay="fixtures/trams.jsonl")
        def test_judged(assert_case, recorded):
            build_team().invoke({"subject": "the tram line of Elmstead"})
            judge = Judge(model=Strict(), pattern="record")
            try:
                assert_case(EvaluationCase(name="report", judge=judge))
            finally:
                assert len(recorded.runs) == 1
        """
    )

    pytester.runpytest_subprocess(*QUICK).assert_outcomes(passed=1)
    judged = pytester.runpytest_subprocess(*QUICK, "--judge")

    judged.assert_outcomes(failed=1)
    judged.stdout.fnmatch_lines(["*judge: failed: 1 of 5*bad*"])


RACING = """
import time
from pathlib import Path

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from report_team import build_team

RECORDING = []

@pytest.fixture(autouse=True)
def mode(request):
    RECORDING[:] = [request.config.getoption("--otel-mas-record")]

@pytest.mark.parametrize("number", range(2))
@pytest.mark.otel_mas(replay="fixtures/raced.jsonl")
def test_raced(number, replayed, assert_topology):
    words = [f"worker {number}"] if RECORDING[0] else ["never asked"]
    report = build_team(FakeListChatModel(responses=words)).invoke({"subject": "trams"})["report"]
    assert_topology("plan -> write_section{3} -> edit")
    if RECORDING[0]:
        Path(f"ran-{number}").touch()
        latest = time.monotonic() + 120
        while len(list(Path().glob("ran-*"))) < 2 and time.monotonic() < latest:
            time.sleep(0.01)
        assert replayed.answered == 0
    else:
        assert replayed.answered == 7
        Path("report.txt").write_text(report)
"""


def test_workers_that_record_the_same_file_at_once_leave_one_whole_recording(
    project: Path, pytester: pytest.Pytester
) -> None:
    (project / "test_report_team.py").unlink()
    pytester.makepyfile(test_raced=RACING)

    pytester.runpytest_subprocess(*QUICK, "--otel-mas-record", "-n", "2").assert_outcomes(passed=2)
    recorded = (project / "fixtures" / "raced.jsonl").read_text()
    pytester.runpytest_subprocess(*QUICK).assert_outcomes(passed=2)

    spans = [json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"] for line in recorded.splitlines()]
    assert {len(one) for one in spans} == {1}
    assert len({one[0]["traceId"] for one in spans}) == 1
    writers = set(re.findall(r"worker \d", recorded))
    assert len(writers) == 1
    assert set(re.findall(r"worker \d", (project / "report.txt").read_text())) == writers
    assert sorted(one.name for one in (project / "fixtures").iterdir()) == ["raced.jsonl", "trams.jsonl"]


def test_each_test_run_of_a_process_renews_its_recordings(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_count="""
        from pathlib import Path

        import otel_mas
        import pytest

        @otel_mas.tool
        def count():
            with Path("called").open("a") as file:
                file.write("x")
            return "1"

        @pytest.mark.parametrize("number", range(2))
        @pytest.mark.otel_mas(replay="count.jsonl")
        def test_count(number):
            with otel_mas.agent("counter"):
                assert count() == "1"
        """,
        twice="""
        import sys
        import pytest

        sys.exit(max(pytest.main(sys.argv[1:]) for _ in range(2)))
        """,
    )

    done = pytester.run(sys.executable, "twice.py", *QUICK, "--otel-mas-record")

    assert done.ret == 0, done.stdout.str()
    assert (pytester.path / "called").read_text() == "xx"


def test_name_that_the_run_does_not_know_is_a_warning_of_the_test(project: Path, pytester: pytest.Pytester) -> None:
    (project / "test_report_team.py").unlink()
    pytester.makepyfile(
        test_names="""
        import pytest
        from otel_mas.evaluate import Calls, EvaluationCase
        from report_team import build_team

        @pytest.mark.otel_mas(replay="fixtures/trams.jsonl")
        def test_names(assert_case, assert_topology):
            build_team().invoke({"subject": "the tram line of Elmstead"})
            assert_case(EvaluationCase(name="report", checks=Calls(tool="figuers", most=0)))
            assert_topology("never edit -> paln")
        """
    )

    result = pytester.runpytest_subprocess(*QUICK)

    result.assert_outcomes(passed=1, warnings=2)
    result.stdout.fnmatch_lines(
        [
            "*UserWarning: calls: no tool 'figuers' is known in this run: did you mean figures?*",
            "*UserWarning: no agent or task 'paln' is known in this run: did you mean plan?*",
        ]
    )
