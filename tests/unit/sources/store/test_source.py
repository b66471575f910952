"""The local store as a source."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from otel_mas.model import Query
from otel_mas.sources import Source
from otel_mas.sources.store.source import StoreSource


def test_it_reads_the_written_spans(store: Path, team: ModuleType) -> None:
    source: Source = StoreSource.open(str(store))
    assert [summary.trace_id for summary in source.traces(Query())] == [team.SECOND, team.FIRST]
    assert len(source.trace(team.FIRST).spans) == 23
    assert [trace.trace_id for trace in source.conversation(team.THREAD)] == [team.FIRST, team.SECOND]
    assert {ref.direction for ref in source.message_refs(team.FIRST)} == {"input", "output"}
    assert [content.value for content in source.contents(team.FIRST)] == [["Publish this?"]]
    assert len(source.run("run-1").traces) == 2
    source.close()


def test_it_lists_every_filter_of_a_query() -> None:
    assert StoreSource.capabilities.filters == set(Query.__dataclass_fields__) - {"limit"}
