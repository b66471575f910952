"""`otel-mas evaluate`: exit codes, reports, baselines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli

EXAMPLE = Path(__file__).resolve().parents[2] / "answers" / "example_team.jsonl.gz"
HEADLINE = "Should Elmstead reopen its tram line? What speaks for it, and what against"
Evaluate = Callable[..., Result]


@pytest.fixture
def evaluate(tmp_path: Path) -> Evaluate:
    """`evaluate(case, *options)`: a suite of one case, held against the example team's conversation."""

    def run(case: str, *options: str) -> Result:
        suite = tmp_path / "suite.yaml"
        suite.write_text(f"cases:\n  - name: tram\n    {case}\n")
        return CliRunner().invoke(cli, ["evaluate", str(suite), "--from", str(EXAMPLE), *options])

    return run


def test_what_is_as_expected_exits_with_0(evaluate: Evaluate) -> None:
    found = evaluate(f"expected_output: {HEADLINE}")

    assert found.exit_code == 0, found.output
    assert found.output.splitlines() == ["✓ tram  7,486 tokens · $0.0063 · 11.25 s", "", "✓ 1 passed"]


def test_what_is_not_exits_with_1_and_says_why(evaluate: Evaluate) -> None:
    found = evaluate("expected_output: No.\n    max_tokens: 7000")

    assert found.exit_code == 1
    assert f"✗ expected_output: expected “No.”, the output is “{HEADLINE[:40]}" in found.output
    assert "✗ max_tokens: 7,486 tokens of 7,000" in found.output


def test_a_paused_trace_alone_has_no_output_yet_which_exits_with_3(evaluate: Evaluate) -> None:
    found = evaluate("expected_output: No.", "--trace", "6a3a00aaaf6c799fb22f5803632f7127")

    assert found.exit_code == 3
    assert "? expected_output: the run paused and has no final output yet" in found.output


def test_a_case_without_a_run_of_its_input_exits_with_3(evaluate: Evaluate) -> None:
    found = evaluate("input: What else?")

    assert found.exit_code == 3
    assert "none of 1 runs had its input" in found.output


def test_a_wrong_suite_and_wrong_usage_exit_with_2(evaluate: Evaluate, tmp_path: Path) -> None:
    assert "suite.yaml:3: cases[0].max_tokens" in (wrong := evaluate("max_tokens: many")).output
    no_baseline = evaluate("max_tokens: 1", "--baseline", str(tmp_path / "none.json"))
    both = evaluate("max_tokens: 1", "--trace", "latest", "--since", "1h")
    assert [one.exit_code for one in (wrong, no_baseline, both)] == [2, 2, 2]
    assert "no traces" not in evaluate("max_tokens: 1", "--since", "1m").output


def test_a_source_that_cannot_be_read_is_no_failed_case(tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text("cases:\n  - name: any\n")
    (tmp_path / "damaged.db").write_bytes(b"SQLite format 3\0 and nothing else")
    sources = (tmp_path / "none.db", tmp_path / "damaged.db", tmp_path / "none.jsonl", "tempo+http://127.0.0.1:9")

    found = [CliRunner().invoke(cli, ["evaluate", str(suite), "--from", str(one)]) for one in sources]
    unwritable = ["evaluate", str(suite), "--from", str(EXAMPLE), "--junit", str(tmp_path / "no" / "folder.xml")]
    no_trace = ["evaluate", str(suite), "--from", str(EXAMPLE), "--trace", "ffff"]
    found += [CliRunner().invoke(cli, arguments) for arguments in (unwritable, no_trace)]

    assert [one.exit_code for one in found] == [2] * len(found)


def test_no_run_at_all_is_no_success(evaluate: Evaluate) -> None:
    found = evaluate("max_tokens: 10000", "--agent", "nobody")

    assert found.exit_code == 3
    assert "there is no run" in found.output


def test_a_report_as_json_is_the_baseline_of_the_next_one(evaluate: Evaluate, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    baseline.write_text(evaluate(f"expected_output: {HEADLINE}", "--json").stdout)

    same = evaluate(f"expected_output: {HEADLINE}", "--baseline", str(baseline))
    worse = evaluate("expected_output: No.", "--baseline", str(baseline), "--json")

    assert same.exit_code == 0
    assert "Nothing has changed since the baseline." in same.output
    assert worse.exit_code == 1
    assert [(one["kind"], one["subject"]) for one in json.loads(worse.stdout)["changes"]] == [
        ("regressed", ""),
        ("regressed", "expected_output"),
    ]


def test_junit_tells_failures_from_missing_evidence(evaluate: Evaluate, tmp_path: Path) -> None:
    path = tmp_path / "out.xml"

    evaluate("expected_output: No.", "--junit", str(path))
    failed = ElementTree.parse(path).getroot()
    evaluate("input: What else?", "--junit", str(path))
    lacking = ElementTree.parse(path).getroot()

    assert {name: failed.get(name) for name in ("name", "tests", "failures", "errors")} == {
        "name": "suite",
        "tests": "1",
        "failures": "1",
        "errors": "0",
    }
    failure = failed.find("./testsuite/testcase[@name='tram']/failure")
    assert failure is not None
    assert "expected “No.”" in (failure.text or "")
    assert failure.get("message", "").startswith("expected_output: failed in trace ")
    error = lacking.find("./testsuite/testcase/error")
    assert error is not None
    assert error.attrib == {"message": "none of 1 runs had its input", "type": "insufficient_evidence"}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed evaluator `broken`, which raises an exception."""
    (tmp_path / "broken_evaluators.py").write_text(
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Broken:\n"
        "    def evaluate(self, context):\n        raise ZeroDivisionError('by 0')\n"
    )
    metadata = tmp_path / "broken_evaluators-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-evaluators\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[otel_mas_evaluator]\nbroken = broken_evaluators:Broken\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("broken")
def test_an_evaluator_that_raises_is_an_error_in_junit_and_exits_with_1(evaluate: Evaluate, tmp_path: Path) -> None:
    found = evaluate("checks: [broken]", "--junit", str(tmp_path / "out.xml"))
    as_json = json.loads(evaluate("checks: [broken]", "--json").stdout)

    assert found.exit_code == 1
    assert "the evaluator raised ZeroDivisionError: by 0 (broken_evaluators.py:7)" in found.output
    root = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (root.get("failures"), root.get("errors")) == ("0", "1")
    error = root.find("./testsuite/testcase/error")
    assert error is not None
    assert error.get("type") == "ZeroDivisionError"
    result = as_json["cases"][0]["runs"][0]["results"][-1]
    assert (result["outcome"], result["error_type"], result["value"]) == ("failed", "ZeroDivisionError", None)


def test_a_tool_that_no_run_knows_is_a_warning(evaluate: Evaluate, tmp_path: Path) -> None:
    found = evaluate("checks: {calls: {tool: serach_archive, most: 0}}", "--junit", str(tmp_path / "out.xml"))
    warning = "no tool 'serach_archive' is known in this run: did you mean search_archive?"

    assert found.exit_code == 0
    assert found.output.splitlines()[1:] == [f"    ! calls: {warning}", "", "✓ 1 passed  ! 1 warning"]
    assert f"warning: calls: {warning}" in (tmp_path / "out.xml").read_text()
    assert json.loads(evaluate("checks: {calls: {tool: serach_archive, most: 0}}", "--json").stdout)["cases"][0][
        "warnings"
    ] == [f"calls: {warning}"]
