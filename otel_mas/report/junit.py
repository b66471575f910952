"""Reports of evaluations as JUnit XML, which CI systems show: a test case for each case."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from otel_mas.errors.printable import printable
from otel_mas.evaluate import CaseResult, EvalReport, Outcome

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, escaped or not."""
_CLASS = "otel_mas.evaluate"
_FAILURE, _ERROR = "failure", "error"


def junit(report: EvalReport, suite: str) -> bytes:
    """The document: a `failure` of a case that failed, an `error` where evidence lacks or an evaluator raised."""
    elements = [_element(case) for case in report.cases]
    amounts = {
        "tests": str(len(report.cases)),
        "failures": str(elements.count(_FAILURE)),
        "errors": str(elements.count(_ERROR)),
        "time": _seconds(*report.cases),
    }
    root = ElementTree.Element("testsuites", {"name": _text(suite), **amounts})
    inner = ElementTree.SubElement(root, "testsuite", {"name": _text(suite), "skipped": "0", **amounts})
    for case in report.cases:
        _add(inner, case)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _element(case: CaseResult) -> str | None:
    if case.outcome == Outcome.PASSED:
        return None
    return _FAILURE if case.outcome == Outcome.FAILED and case.error_type is None else _ERROR


def _add(suite: ElementTree.Element, case: CaseResult) -> None:
    test = ElementTree.SubElement(
        suite, "testcase", {"name": _text(case.name), "classname": _CLASS, "time": _seconds(case)}
    )
    element = _element(case)
    if element is not None:
        lines = [
            f"{one.evaluator}: {one.outcome.words} in trace {run.trace_ids[0]}: {one.reason}"
            for run, one in case.problems()
        ]
        lines = lines or [case.reason]
        first = lines[0].splitlines()[0] if lines[0] else case.outcome.words
        kind = case.error_type or case.outcome.value
        found = ElementTree.SubElement(test, element, {"message": _text(first), "type": kind})
        found.text = "\n".join(map(_text, lines))
    if case.runs:
        properties = ElementTree.SubElement(test, "properties")
        for run in case.runs:
            ElementTree.SubElement(properties, "property", {"name": "trace_id", "value": ",".join(run.trace_ids)})
    if case.warnings:
        ElementTree.SubElement(test, "system-err").text = _text("\n".join(f"warning: {one}" for one in case.warnings))


def _seconds(*cases: CaseResult) -> str:
    return f"{sum(run.wall_ms for case in cases for run in case.runs) / 1e3:.3f}"


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", "\n".join(map(printable, text.split("\n"))))


__all__ = ["junit"]
