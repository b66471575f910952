"""Exports of other programs, as sources and imported into a store: the same traces, graphs, messages and costs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from otel_mas.causal import build
from otel_mas.model import Query, Span
from otel_mas.sources import Source, open_source
from tests.conformance.conftest import Ground
from tests.conformance.places import PLACES, otel_mas
from tests.conformance.test_graph import edges

DATA = Path(__file__).parents[1] / "unit" / "sources" / "exports" / "data"
EXPORTS = ("datadog.json", "langfuse.json", "langsmith.jsonl", "mlflow.sql", "phoenix.sql", "Jaeger's JSON")


@pytest.fixture(scope="session", params=EXPORTS)
def file(request: pytest.FixtureRequest, ground: Ground) -> Path:
    """An export of each form; Jaeger's has the lunch."""
    name = request.param
    if name in PLACES:
        from tests.conformance.lunch import EXPORTS as SENT

        source = PLACES[name].setup(ground, SENT)
        source.close()
        return Path(source.location)
    if not name.endswith(".sql"):
        return DATA / name
    path: Path = ground.folder("database") / name.replace(".sql", ".db")
    database = sqlite3.connect(path)
    database.executescript((DATA / name).read_text())
    database.close()
    return path


@pytest.fixture(scope="session")
def both(file: Path, ground: Ground) -> Iterator[tuple[Source, Source]]:
    """The export as a source, and a store into which it was imported, twice."""
    store = ground.folder("of-export") / "runs.db"
    for _ in range(2):
        otel_mas("import", str(file), "--store", str(store))
    sources = open_source(file), open_source(store)
    yield sources
    for source in sources:
        source.close()


def spans(source: Source) -> dict[str, Span]:
    return {span.span_id: span for one in source.traces(Query()) for span in source.trace(one.trace_id).spans}


def test_an_export_is_summed_up_the_same_after_its_import(both: tuple[Source, Source]) -> None:
    exported, imported = (source.traces(Query()) for source in both)

    assert [replace(one, incomplete=None) for one in imported] == [replace(one, incomplete=None) for one in exported]
    assert sum(one.input_tokens for one in imported) > 0 or "phoenix" in both[0].location


def test_the_spans_of_an_export_are_kept_as_they_are(both: tuple[Source, Source]) -> None:
    exported, imported = map(spans, both)

    assert exported.keys() == imported.keys()
    for span_id, one in exported.items():
        other = imported[span_id]
        assert (other.name, other.kind, other.status, other.parent_span_id) == (
            one.name, one.kind, one.status, one.parent_span_id,
        )  # fmt: skip
        assert (other.start_ns, other.end_ns, other.service) == (one.start_ns, one.end_ns, one.service)
        assert dict(other.attributes) == dict(one.attributes)
        assert (other.body.links, other.events, other.scope) == (one.body.links, one.events, one.scope)
        assert dict(other.resource.attributes) == dict(one.resource.attributes)


def test_the_graph_of_an_export_is_the_same_after_its_import(both: tuple[Source, Source]) -> None:
    graphs = [build([source.trace(one.trace_id) for one in source.traces(Query())]) for source in both]

    assert edges(graphs[0]) == edges(graphs[1])
    assert edges(graphs[0])


@pytest.mark.parametrize("read", ["messages", "contents"])
def test_the_content_of_an_export_is_the_same_after_its_import(both: tuple[Source, Source], read: str) -> None:
    exported, imported = (_READERS[read](source) for source in both)

    assert imported == exported
    assert exported


def _messages(source: Source) -> dict[str, object]:
    found: dict[str, object] = {}
    for one in source.traces(Query()):
        refs = source.message_refs(one.trace_id)
        bodies = source.messages([ref.digest for ref in refs], one.trace_id)
        for ref in refs:
            found[f"{ref.span_id} {ref.direction} {ref.position}"] = bodies[ref.digest].body
    return found


def _contents(source: Source) -> set[str]:
    return {repr(one) for trace in source.traces(Query()) for one in source.contents(trace.trace_id)}


_READERS: dict[str, Callable[[Source], object]] = {"messages": _messages, "contents": _contents}
