"""`otel-mas explain` and `findings`, as people read them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.test_why import DESK, TEAM, run


def test_the_most_probable_cause_comes_first_with_its_reason() -> None:
    lines = run("explain", *DESK).stdout.splitlines()

    assert lines[2] == "Most probable cause"
    assert "reader › execute_tool archive" in lines[3]
    assert "ConnectionError" in lines[4]


def test_what_to_look_at_next_can_be_pasted() -> None:
    lines = run("explain", *DESK).stdout.splitlines()
    commands = [line.split()[1:] for line in lines if line.startswith("  otel-mas ")]

    assert [words[0] for words in commands] == ["error", "show", "log"]
    for words in commands:
        assert run(*words).exit_code == 0, words


def test_the_page_says_the_complaint_and_how_the_fault_came_to_the_end() -> None:
    lines = run("explain", *TEAM, "--complaint", "late").stdout.splitlines()

    assert lines[2] == "Complaint: it took too long."
    assert any(line.startswith("       came to the end by ") for line in lines)
    assert "otel-mas critical-path" in "\n".join(lines)


def test_a_run_without_an_error_or_a_complaint_has_no_cause_and_the_page_says_so() -> None:
    stdout = run("explain", *TEAM).stdout

    assert "No error ended this run, and no complaint about it is recorded." in stdout
    assert "cause" not in stdout.split("Findings")[0].lower()


def test_where_nothing_is_evidence_the_page_names_what_would_help(tmp_path: Path) -> None:
    import otel_mas

    store = tmp_path / "runs.db"
    otel_mas.instrument(store=store, content="none")
    with otel_mas.workflow("trip", conversation="t"), otel_mas.agent("planner") as planner:
        planner.output("three nights in Lisbon")
    otel_mas.shutdown(30)
    run("mark", "--wrong", "--store", str(store))

    stdout = run("explain", "--store", str(store)).stdout
    assert "This recording shows no evidence for a cause." in stdout
    assert "Most probable cause" not in stdout
    assert "otel-mas mark" in stdout
    assert "OTEL_MAS_CONTENT" in stdout


def test_a_text_is_traced_to_its_first_writer() -> None:
    result = run("explain", *DESK, "--text", "2,900 passengers")

    assert "was first written by statistician; the answer does not have it" in " ".join(result.stdout.split())
    document = json.loads(run("explain", *DESK, "--text", "2,900 passengers", "--json").stdout)
    assert [use["agent"] for use in document["uses"]] == ["statistician"]
    assert run("explain", *DESK, "--text", "x", "--complaint", "wrong").exit_code == 2
    assert "text is empty" in run("explain", *DESK, "--text", "").stderr


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
    assert "runs that were read: " in result.stderr
    assert json.loads(run("findings", *TEAM[:2], "--since", "2020-01-01", "--json").stdout) == []


def test_a_filter_and_a_trace_are_two_questions() -> None:
    assert run("findings", *TEAM, "--since", "1d").exit_code == 2


def test_a_failed_run_without_findings_leads_to_what_explains_its_error() -> None:
    assert "otel-mas explain and otel-mas error tell of those" in run("findings", *DESK).stdout
