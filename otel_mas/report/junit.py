"""Reports of evaluations as JUnit XML, which CI systems show: a test case for each case."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from otel_mas.errors.printable import printable
from otel_mas.evaluate import CaseResult, EvalReport, Outcome

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not."""
_ELEMENTS = {Outcome.FAILED: "failure", Outcome.INSUFFICIENT_EVIDENCE: "error"}
_CLASS = "otel_mas.evaluate"


def junit(report: EvalReport, suite: str) -> bytes:
    """The document; a case that failed has a `failure`, one without enough evidence an `error`."""
    counts = report.counts()
    amounts = {
        "tests": str(len(report.cases)),
        "failures": str(counts[Outcome.FAILED]),
        "errors": str(counts[Outcome.INSUFFICIENT_EVIDENCE]),
        "time": _seconds(*report.cases),
    }
    root = ElementTree.Element("testsuites", {"name": _text(suite), **amounts})
    inner = ElementTree.SubElement(root, "testsuite", {"name": _text(suite), "skipped": "0", **amounts})
    for case in report.cases:
        _add(inner, case)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add(suite: ElementTree.Element, case: CaseResult) -> None:
    test = ElementTree.SubElement(
        suite, "testcase", {"name": _text(case.name), "classname": _CLASS, "time": _seconds(case)}
    )
    element = _ELEMENTS.get(case.outcome)
    if element is not None:
        lines = [
            f"{one.evaluator}: {one.outcome.words} in trace {run.trace_ids[0]}: {one.reason}"
            for run, one in case.problems()
        ]
        lines = lines or [case.reason]
        first = lines[0].splitlines()[0] if lines[0] else case.outcome.words
        found = ElementTree.SubElement(test, element, {"message": _text(first), "type": case.outcome.value})
        found.text = "\n".join(map(_text, lines))
    if case.runs:
        properties = ElementTree.SubElement(test, "properties")
        for run in case.runs:
            ElementTree.SubElement(properties, "property", {"name": "trace_id", "value": ",".join(run.trace_ids)})


def _seconds(*cases: CaseResult) -> str:
    return f"{sum(run.wall_ms for case in cases for run in case.runs) / 1e3:.3f}"


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", "\n".join(map(printable, text.split("\n"))))


__all__ = ["junit"]
