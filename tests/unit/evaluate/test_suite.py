"""Suites in YAML: what is wrong with one is told by line."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from otel_mas.errors import ConfigError
from otel_mas.evaluate import Calls, Contains, Judge, Suite


def _read(folder: Path, text: str) -> Suite:
    path = folder / "suite.yaml"
    path.write_text(dedent(text))
    return Suite.read(path)


def test_a_suite_has_cases_with_common_defaults(tmp_path: Path) -> None:
    suite = _read(
        tmp_path,
        """
        defaults:
          max_tokens: 100
        cases:
          - name: capital
            input: What is the capital of France?
            expected_output: Paris
            checks:
              - contains: Par
              - calls: {tool: atlas, most: 2}
            judge: openai:gpt-4.1-mini
          - name: cheap
            max_tokens: 5
        """,
    )

    first, second = suite.cases
    assert (suite.name, first.max_tokens, second.max_tokens, second.max_latency_ms) == ("suite", 100, 5, 30_000)
    assert first.checks == (Contains("Par"), Calls(tool="atlas", most=2))
    assert first.judge == Judge("openai:gpt-4.1-mini")


def test_a_suite_may_be_json(tmp_path: Path) -> None:
    assert _read(tmp_path, json.dumps({"cases": [{"name": "x"}]})).cases[0].name == "x"


WRONG = """\
cases:
  - name: capital
    max_tokens: many
    expected: Paris
    checks:
      - contains: Par
      - regex: "("
      - calls:
          most: [1]
      - nobody: 3
      - no_findings: {code: rust}
  - max_tokens: 3
"""


def test_all_that_is_wrong_is_told_at_once_with_its_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        _read(tmp_path, WRONG)

    lines = [problem.removeprefix(f"{tmp_path}/suite.yaml:") for problem in told.value.problems]
    starts = [
        "3: cases[0].max_tokens: Input should be a valid integer",
        "4: cases[0].expected: there is no such field",
        "7: cases[0].checks[1]: regex: '(' is no regular expression",
        "8: cases[0].checks[2]: most: Input should be a valid integer",
        "10: cases[0].checks[3]: there is no evaluator 'nobody'; there are calls,",
        "11: cases[0].checks[4]: no_findings: code is 'rust': give one of budget-overrun,",
        "12: cases[1].name: Field required",
    ]
    assert len(lines) == len(starts), lines
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start), line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("- x\n", "it must be a mapping with `cases`"),
        ("cases: []\n", "suite.yaml:1: cases: there are none"),
        ("cases:\n  - name: x\n  - name: x\n", "suite.yaml:1: cases: several cases are called x"),
        ("cases:\n  - name: x\n    name: y\n", "suite.yaml:3: 'name' stands twice"),
        ("cases:\n  - name: [\n", "suite.yaml:3:1: it is no YAML"),
        ("cases: !!python/object/apply:os.system [ls]\n", "suite.yaml:1:8: it is no YAML"),
        (
            "cases:\n  - name: x\n    max_tokens: null\n    max_latency_ms: null\n",
            "suite.yaml:2: cases[0]: it checks nothing",
        ),
        ("\0", "no YAML"),
        (
            "cases:\n  - name: x\n    max_token: 3\n",
            "suite.yaml:3: cases[0].max_token: there is no such field: did you mean max_tokens?",
        ),
        (
            "defaults:\n  max_token: 3\ncases:\n  - name: x\n  - name: y\n",
            "suite.yaml:2: defaults.max_token: there is no such field: did you mean max_tokens?",
        ),
        ("case: []\ncases:\n  - name: x\n", "suite.yaml:1: case: there is no such field: did you mean cases?"),
        (
            "cases:\n  - name: x\n    judge: {model: a:b, rubrik: z}\n",
            "suite.yaml:3: cases[0].judge: there is no argument 'rubrik' of Judge: did you mean rubric?",
        ),
        ("cases: {x: {max_tokens: 3}}\n", "suite.yaml:1: cases: it must be a list"),
        (
            "cases:\n  - name: x\n    max_tokens: yes\n",
            "suite.yaml:3: cases[0].max_tokens: Input should be a valid integer",
        ),
        (
            "cases:\n  - name: x\n    max_latency_ms: .inf\n",
            "suite.yaml:3: cases[0].max_latency_ms: Input should be a finite",
        ),
        (
            "cases:\n  - name: x\n    expected_topology: {a: b}\n",
            "suite.yaml:3: cases[0].expected_topology: topology: expected",
        ),
        (
            "cases:\n  - name: x\n    checks:\n      - exact: {expected: Paris, chanel: answer}\n",
            "suite.yaml:4: cases[0].checks[0]: there is no argument 'chanel' of Exact: did you mean channel?",
        ),
    ],
)
def test_a_file_that_is_no_suite_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as told:
        _read(tmp_path, text)
    assert message in str(told.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_bytes(b"\xff\xfe\x00")
    for name, message in (("nothing.yaml", "cannot be read: No such file"), ("suite.yaml", "not text in UTF-8")):
        with pytest.raises(ConfigError, match=message):
            Suite.read(tmp_path / name)
