"""`otel-mas explain` and `findings`, as people read them."""

from __future__ import annotations

import json

from tests.unit.cli.test_why import DESK, TEAM, run


def test_the_most_probable_cause_comes_first_with_its_reason() -> None:
    lines = run("explain", *DESK).stdout.splitlines()

    assert lines[2] == "Most probable cause"
    assert "reader › execute_tool archive" in lines[3]
    assert "ConnectionError" in lines[4]


def test_the_cause_of_an_error_names_the_node_where_no_agent_was_at_work() -> None:
    document = json.loads(run("explain", *DESK, "--json").stdout)

    assert (document["complaint"], document["root_cause"][0]["agent"]) == (None, "reader")
    assert document["root_cause"][0]["reasons"][0].startswith("ConnectionError")


def test_a_complaint_asks_for_the_cause_of_a_run_that_ended_well() -> None:
    assert json.loads(run("explain", *TEAM, "--json").stdout)["root_cause"] == []
    document = json.loads(run("explain", *TEAM, "--complaint", "wrong", "--json").stdout)

    assert document["complaint"] == "wrong"
    assert sum(one["score"] for one in document["root_cause"]) > 0.99


def test_the_document_of_findings_is_a_list() -> None:
    assert isinstance(json.loads(run("findings", *TEAM, "--json").stdout), list)


def test_a_kind_that_is_not_there_is_refused_with_those_that_are() -> None:
    result = run("findings", *TEAM, "--code", "tool-loop")

    assert result.exit_code == 1
    assert "there is no kind of finding tool-loop: ask for some of " in result.stderr
    assert "tool-call-loop" in result.stderr


def test_findings_of_many_runs_are_grouped_and_say_how_many_were_read() -> None:
    result = run("findings", *TEAM[:2], "--since", "2020-01-01")

    assert (result.exit_code, result.stdout) == (0, "No finding matches.\n")
    assert "runs were read" in result.stderr
    assert json.loads(run("findings", *TEAM[:2], "--since", "2020-01-01", "--json").stdout) == []


def test_a_filter_and_a_trace_are_two_questions() -> None:
    assert run("findings", *TEAM, "--since", "1d").exit_code == 2
