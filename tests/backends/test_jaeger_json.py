"""Files for Jaeger's UI, beside those that Jaeger itself makes for it of the same spans over OTLP."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_mas.store.importing import import_spans
from tests.backends.jaeger import Jaeger, Storage
from tests.conformance.lunch import PROCESSES
from tests.conformance.places import otel_mas

OTHERWISE = {"otel.scope.name", "otel.scope.version", "otel.status_code", "error", "span.kind"}
"""Tags for fields of OTLP, which each names; our spans' own are told by their names."""


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[str], bytes]:
    """`exported("otlp")`: the lunch's traces in that form, with content."""
    import_spans(tmp_path / "runs.db", PROCESSES)

    def export(form: str) -> bytes:
        path = tmp_path / form
        store = str(tmp_path / "runs.db")
        otel_mas("export", "--all", "--content", "--format", form, "--store", store, "-o", str(path))
        return path.read_bytes()

    return export


def transformed(server: Jaeger, lines: bytes) -> Any:
    """What Jaeger answers its UI where somebody loads a file of OTLP there."""
    processes = [process for line in lines.splitlines() for process in json.loads(line)["resourceSpans"]]
    body = json.dumps({"resourceSpans": processes}).encode()
    request = urllib.request.Request(f"http://{server.http}/api/transform", body, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return json.load(answer)


def spans(document: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """By trace and span id, in fields that do not depend on order."""
    found = {}
    for trace in document["data"]:
        for span in trace["spans"]:
            process = trace["processes"][span["processID"]]
            found[span["traceID"], span["spanID"]] = {
                "name": span["operationName"],
                "start": span["startTime"],
                "duration": span["duration"],
                "service": process["serviceName"],
                "process": tags(process["tags"]),
                "above": [one["spanID"] for one in span["references"][:1]],
                "references": {(one["traceID"], one["spanID"]) for one in span["references"]},
                "tags": tags(span["tags"]),
                "logs": [(log["timestamp"], tags(log["fields"])) for log in span["logs"]],
            }
    return found


def tags(given: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: (one["type"], one["value"]) for one in given if one["key"] not in OTHERWISE}


def test_jaeger_makes_the_same_of_our_spans(
    exported: Callable[[str], bytes], jaeger: Callable[[Storage], Jaeger]
) -> None:
    theirs = spans(transformed(jaeger("memory"), exported("otlp")))
    ours = spans(json.loads(exported("jaeger")))

    assert ours.keys() == theirs.keys()
    assert len(ours) == 15
    for key, span in ours.items():
        assert span == theirs[key]
    # A parent that is a cause, too, is one reference there, two here.
    assert [one["refType"] for one in references(exported("jaeger"), "execute_tool tray")] == [
        "CHILD_OF",
        "FOLLOWS_FROM",
    ]


def references(document: bytes, name: str) -> list[dict[str, str]]:
    found = (span for trace in json.loads(document)["data"] for span in trace["spans"] if span["operationName"] == name)
    given: list[dict[str, str]] = next(found)["references"]
    return given
