"""Recording into a store of the test's own, and what is in it by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.causal import CausalGraph, build
from otel_mas.model import Span


class Run:
    """What has been recorded so far."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def spans(self) -> list[Span]:
        assert otel_mas.flush(30)
        with otel_mas.open(self.path) as source:
            traces = [source.trace(summary.trace_id) for summary in source.traces(limit=100)]
        return sorted((span for trace in traces for span in trace.spans), key=lambda span: span.start_ns)

    def named(self, name: str) -> Span:
        (found,) = [span for span in self.spans() if span.name == name]
        return found

    def contents(self, span: Span) -> dict[str, Any]:
        with otel_mas.open(self.path) as source:
            return dict(source.trace(span.trace_id).contents(span))

    def messages(self, span: Span) -> tuple[list[Any], list[Any]]:
        """What it read and what it wrote."""
        with otel_mas.open(self.path) as source:
            found = source.trace(span.trace_id).messages(span)
        return [one.body for one in found.input], [one.body for one in found.output]

    def graph(self) -> CausalGraph:
        assert otel_mas.flush(30)
        with otel_mas.open(self.path) as source:
            return build([source.trace(summary.trace_id)._data for summary in source.traces(limit=100)])

    def control_edges(self) -> set[tuple[str, str, str]]:
        graph = self.graph()
        labels = graph.labels()
        return {(edge.kind, labels[edge.cause], labels[edge.effect]) for edge in graph.control_edges()}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path), content="full")
    yield Run(path)
    otel_mas.shutdown(30)
