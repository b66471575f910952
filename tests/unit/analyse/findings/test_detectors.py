"""All detectors keep to one form; one that fails takes nothing from the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from otel_mas.analyse.findings import RunFacts, detect, ranked
from otel_mas.api.findings import installed_detectors
from otel_mas.model import Finding, Severity, Undecided
from tests.unit.analyse.findings.run import facts, made

OURS = {code: point for code, point in installed_detectors().items() if point.value.startswith("otel_mas.")}


@pytest.mark.parametrize("point", OURS.values(), ids=OURS)
def test_a_detector_is_a_file_with_a_paragraph_and_a_test(point: EntryPoint) -> None:
    name = point.name.replace("-", "_")
    assert point.value == f"otel_mas.analyse.findings.{name}:{name}"
    assert len(point.load().__doc__) > 100, "its docstring is its paragraph in docs/findings.md"
    assert (Path(__file__).parent / f"test_{name}.py").exists()


@pytest.mark.parametrize("point", OURS.values(), ids=OURS)
def test_a_run_without_anything_has_no_findings(point: EntryPoint) -> None:
    assert [one for one in point.load()(facts(made.task("write1", 0, 10))) if isinstance(one, Finding)] == []
    assert [one for one in point.load()(facts()) if isinstance(one, Finding)] == []


def _finding(severity: Severity, confidence: float = 1.0) -> Finding:
    return Finding(
        code="x", severity=severity, confidence=confidence, summary="it is wrong", subject="a", spans=("write1",)
    )


def test_a_detector_that_fails_is_named_and_the_others_answer() -> None:
    def failing(_: RunFacts) -> Iterator[Finding]:
        yield _finding(Severity.INFO)
        raise KeyError("lost")

    found = list(detect(facts(), {"bad": failing, "good": lambda _: [_finding(Severity.INFO)]}))

    assert found == [Undecided("bad", "its detector failed with KeyError: 'lost'"), _finding(Severity.INFO)]


def test_the_worst_and_surest_comes_first() -> None:
    worst, sure, unsure = _finding(Severity.ERROR), _finding(Severity.WARNING), _finding(Severity.WARNING, 0.5)

    assert ranked([unsure, sure, worst]) == [worst, sure, unsure]


@pytest.mark.parametrize(("cut_in", "first"), [("write2", "truncated-output"), ("post1", "handoff-loop")])
def test_a_useless_output_comes_before_the_loop_that_it_is_in_and_before_no_other(cut_in: str, first: str) -> None:
    tasks = [made.task(name, i, i + 1) for i, name in enumerate(("write1", "check1", "write2", "check2", "post1"))]
    run = facts(*tasks, made.call("chat1", 2, 3, cut_in))
    cut = replace(_finding(Severity.WARNING, 0.8), code="truncated-output", spans=("chat1", cut_in))
    loop = replace(_finding(Severity.ERROR), code="handoff-loop", spans=tuple(task.span_id for task in tasks[:4]))
    repetition = replace(_finding(Severity.WARNING), code="step-repetition", spans=("check1", "check2"))

    assert next(iter(ranked([repetition, loop, cut], run))).code == first
    assert ranked([repetition, loop, cut])[0] is loop, "what is in which is not known"


def test_a_finding_without_evidence_is_refused() -> None:
    with pytest.raises(ValueError, match="shows no span"):
        Finding(code="x", severity=Severity.INFO, confidence=1, summary="", subject="", spans=())
