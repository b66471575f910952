"""Results that are no data are found where they were used; other pages, documents and texts are data."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.analyse.findings.malformed_tool_result_used import malformed_tool_result_used
from otel_mas.model import Finding, Severity
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import facts, made


def found(*results: Any, arguments: Any = None) -> list[Finding]:
    """Findings about an agent whose model read these results, one after the other."""
    spans, contents, read, wrote = [made.agent("writer1", 0, 1000)], {}, {}, {}
    for i, result in enumerate(results):
        spans += [
            made.tool(f"search{i}", 20 * i + 1, 20 * i + 6, "writer1"),
            made.call(f"chat{i}", 20 * i + 10, 20 * i + 15, "writer1"),
        ]
        contents[f"search{i}"] = {
            names.GEN_AI_TOOL_CALL_RESULT: result,
            names.GEN_AI_TOOL_CALL_ARGUMENTS: arguments,
        }
        wrote[f"search{i}"] = read[f"chat{i}"] = [f"m{i}"]
    return list(malformed_tool_result_used(facts(*spans, contents=contents, read=read, wrote=wrote)))


@pytest.mark.parametrize(
    ("result", "what"),
    [
        ("<!DOCTYPE html>\n<html><title>Error 404 - Not Found</title>", "an error page (404 - Not Found)"),
        ("<html><body><h1>503 Service Unavailable</h1>", "an error page (503 Service Unavailable)"),
        ('{"items": [{"id": 1}, {"id"', "JSON that breaks off"),
        ('[{"name": "a \\" b', "JSON that breaks off"),
        ('Traceback (most recent call last):\n  File "a.py"', "a stack trace"),
        ('Exception in thread "main" java.lang.Error', "a stack trace"),
        ("[object Object]", "[object Object] instead of the object"),
        ("PK\x03\x04\x00\x00data", "binary data"),
        ("Lorem ipsum dolor sit amet", "filler text"),
        ([{"type": "text", "text": '{"a": [1, 2'}], "JSON that breaks off"),
    ],
)
def test_a_result_that_is_no_data(result: Any, what: str) -> None:
    (one,) = found(result)

    assert (one.severity, one.confidence, one.subject) == (Severity.WARNING, 0.9, "writer: search")
    assert one.summary == f"writer went on although search had returned {what}"
    assert (one.spans, one.messages) == (("search0", "chat0"), ("m0",))


@pytest.mark.parametrize(
    "result",
    [
        "<html><title>404 days in the desert</title><p>A report.</p></html>",
        "<html><title>News</title><p>502 Bad Gateway was on the screen</p></html>",
        '{"items": [{"id": 1}]}',
        '{"a": 1}\n{"a": 2}\n',
        "{'a': 'python'}",
        "[1] Smith 2020, [2] Jones {2021",
        '{"items": [{"id": 1}, {"id": 2}, ... (truncated)',
        "The log says: Traceback (most recent call last): ...",
        "\x1b[31mred\x1b[0m and \x1b[32mgreen",
        "It printed [object Object] once.",
        "naïve café \ufffd",
        {"page": "<html><title>502 Bad Gateway</title>"},
        "",
        None,
    ],
)
def test_data(result: Any) -> None:
    assert found(result) == []


def test_a_later_call_that_brings_something_makes_it_good() -> None:
    assert found("[object Object]", "a tram") == []


def test_a_tool_that_runs_code_may_return_anything() -> None:
    assert found("Traceback (most recent call last):", arguments={"code": "1 / 0"}) == []


@pytest.mark.parametrize(
    ("documents", "number"),
    [
        (["<html><title>502 Bad Gateway</title>"], 1),
        (["<html><title>502 Bad Gateway</title>", "The tram is red."], 0),
        (['{"trams": [{"id": 1}, {"id"'], 0),
        (["Traceback (most recent call last):\n  File"], 0),
    ],
    ids=["error page", "one of two", "part of JSON", "stack trace"],
)
def test_documents_that_are_error_pages_but_no_parts_of_files(documents: list[str], number: int) -> None:
    spans = made.agent("rag1", 0, 90), made.retrieval("index", 5, 10, "rag1"), made.call("chat1", 20, 30, "rag1")
    contents = {"index": {names.GEN_AI_RETRIEVAL_DOCUMENTS: [{"content": one} for one in documents]}}

    found = list(malformed_tool_result_used(facts(*spans, contents=contents)))

    assert [one.spans for one in found] == [("index", "chat1")] * number
    assert all("index of index" in one.advice for one in found)
