"""The 60 tests of LangGraph in `../shared/data`, as two dialects have them: which task made which other one run."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from otel_mas.causal import CausalGraph, build
from otel_mas.otlp.json import resource_spans
from otel_mas.sources.traces import traces
from tests.accuracy.foreign_causes.edges import Edge, Said, control_edges


class Both(NamedTuple):
    """The edges of a test in each of the two dialects."""

    openinference: Mapping[Edge, Said]
    openllmetry: Mapping[Edge, Said]


def edges_of_tests(openinference: Path, openllmetry: Path) -> dict[str, Both]:
    """The edges of each test, by name."""
    one, other = _edges(openinference), _edges(openllmetry)
    return {test: Both(one[test], other[test]) for test in one}


def _edges(path: Path) -> dict[str, dict[Edge, Said]]:
    return {test: control_edges(graph) for test, graph in graphs_of_tests(path).items()}


def graphs_of_tests(path: Path) -> dict[str, CausalGraph]:
    """The graph of each test, of all its traces, by name."""
    spans: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path, "rt") as lines:
        for line in lines:
            span = json.loads(line)
            spans[span["test"]].append(_otlp(span))
    scope = {"name": f"instrumentation of {path.name}"}
    return {
        test: build(traces(resource_spans({"resourceSpans": [{"scopeSpans": [{"scope": scope, "spans": found}]}]})))
        for test, found in spans.items()
    }


def _otlp(span: Mapping[str, Any]) -> dict[str, Any]:
    """OTLP's JSON of the SDK's own."""
    return {
        "traceId": span["context"]["trace_id"].removeprefix("0x"),
        "spanId": span["context"]["span_id"].removeprefix("0x"),
        "parentSpanId": (span["parent_id"] or "").removeprefix("0x"),
        "name": span["name"],
        "startTimeUnixNano": _ns(span["start_time"]),
        "endTimeUnixNano": _ns(span["end_time"]),
        "attributes": _pairs(span["attributes"]),
        "events": [
            {"name": one["name"], "timeUnixNano": _ns(one["timestamp"]), "attributes": _pairs(one["attributes"])}
            for one in span["events"]
        ],
        "status": {"code": {"UNSET": 0, "OK": 1, "ERROR": 2}[span["status"]["status_code"]]},
    }


def _ns(written: str) -> str:
    at = datetime.fromisoformat(written)
    return str(int(at.timestamp()) * 10**9 + at.microsecond * 1000)


def _pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(one) for one in value]}}
    return {"stringValue": str(value)}
