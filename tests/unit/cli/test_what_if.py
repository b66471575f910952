"""`otel-mas what-if`, as people read and misuse it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli

TEAM = ("--from", str(Path(__file__).parents[2] / "answers" / "example_team.jsonl.gz"), "--conversation", "tram")


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["what-if", *words, *TEAM])


def test_the_new_end_comes_first_then_the_path_then_what_it_rests_on() -> None:
    shown = run("--faster", "researcher=2", "--without", "relevance", "--no-waiting").stdout
    places = [
        shown.index(part)
        for part in (
            "If: researcher 2 times as fast, without relevance, without waiting",
            "end to end",
            "The new critical path",
            "rests on",
            "slack",
        )
    ]
    assert places == sorted(places)


def test_without_a_change_it_tells_slack_and_drag() -> None:
    shown = run().stdout
    assert "The new critical path" not in shown
    assert "write_section#1       999 ms  200 ms     0 s" in shown
    assert "write_section#3       1.18 s     0 s  200 ms" in shown


def test_slack_and_drag_are_those_of_spans_where_nothing_says_what_is_a_task(tmp_path: Path) -> None:
    path = tmp_path / "plain.json"
    times = {"parent": (0, 100), "first": (10, 40), "second": (20, 90)}
    spans = [
        {
            "traceId": "1" * 32,
            "spanId": f"{number:016x}",
            "parentSpanId": "" if number == 1 else f"{1:016x}",
            "name": name,
            "startTimeUnixNano": str(start * 10**6),
            "endTimeUnixNano": str(end * 10**6),
        }
        for number, (name, (start, end)) in enumerate(times.items(), start=1)
    ]
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    shown = CliRunner().invoke(cli, ["what-if", "--from", str(path)]).stdout
    assert [row.split() for row in shown.splitlines()[-3:]] == [
        ["parent", "100", "ms", "0", "s", "100", "ms"],
        ["second", "70", "ms", "0", "s", "50", "ms"],
        ["first", "30", "ms", "50", "ms", "0", "s"],
    ]


def test_what_is_assumed_of_another_model_is_said() -> None:
    assert (
        "is taken to take as long and to use the same tokens as gpt-4o." in run("--model", "gpt-4o=gpt-5-mini").stdout
    )
    timed = run("--model", "gpt-4o=gpt-5-mini", "--faster", "gpt-4o=2").stdout
    assert "is taken to use the same tokens as gpt-4o." in timed


def test_edges_between_parallel_tasks_are_named_held_or_not() -> None:
    shown = run("--parallel", "researcher,writer").stdout
    assert "held      writer read what researcher wrote" in shown
    shown = run("--parallel", "tools,model").stdout
    assert "held      tools#1 waited for model#1 (send)" in shown


def test_json_says_the_same() -> None:
    document = json.loads(run("--lasting", "writer=1s", "--model", "gpt-4o=gpt-4o-mini", "--json").stdout)
    assert document["changes"] == ["writer takes 1.00 s", "gpt-4o-mini instead of gpt-4o"]
    assert document["recorded_ns"] - document["total_ns"] == document["saves_ns"] > 10**9
    assert sum(step["duration_ns"] for step in document["steps"]) == document["total_ns"]
    assert document["saves_usd"] > 0


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (("--faster", "writer"), "'writer' is not of the form NAME=TIMES"),
        (("--faster", "writer=quick"), "'quick' is not a number: write writer=2"),
        (("--faster", "writer=0"), "give a number above 0"),
        (("--faster", "writer=nan"), "give a number above 0"),
        (("--faster", "writer=2", "--faster", "writer=3"), "writer is given twice"),
        (("--faster", "reseacher=2"), "did you mean researcher"),
        (("--lasting", "writer=soon"), "'soon' is not a duration"),
        (("--parallel", ","), "',' names nothing"),
        (("--parallel", "approval,nobody"), "nothing in this run is called 'nobody'"),
        (("--parallel", "edit,researcher"), "no two of edit, researcher are inside the same span"),
        (("--without", ""), "a name in without is empty"),
        (("--model", "gpt-5=gpt-4o"), "no model 'gpt-5' was called in this run; called were: gpt-4o"),
    ],
)
def test_what_cannot_be_is_an_error_of_one_line(words: tuple[str, ...], refusal: str) -> None:
    result = run(*words)
    assert result.exit_code in (1, 2)
    assert refusal in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
