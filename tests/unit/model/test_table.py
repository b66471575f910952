"""Spans as columns, where they are there as objects."""

from __future__ import annotations

from otel_mas.model import NOT_HERE, Link, ObjectSpanTable, Resource, Span
from otel_mas.semconv import attributes as names

TRACE, OTHER = "a" * 32, "b" * 32


def test_a_link_is_to_a_number_where_its_span_is_there_in_the_same_trace() -> None:
    links = (Link(TRACE, "1", "send"), Link(OTHER, "1", "trigger"), Link(TRACE, "9"))
    table = ObjectSpanTable([Span(TRACE, "1", None, "cause", 0, 1), Span(TRACE, "2", "1", "effect", 1, 2, links=links)])
    found = table.links()
    assert list(found.effects) == [1, 1, 1]
    assert list(found.causes) == [0, NOT_HERE, NOT_HERE]
    assert found.kinds == ["send", "trigger", None]
    assert found.in_other_traces == {1: (OTHER, "1"), 2: (TRACE, "9")}


def test_columns_hold_the_values_of_the_spans() -> None:
    process = Resource({names.MAS_INSTANCE_ID: "i"})
    spans = [
        Span(TRACE, "1", None, "a", 0, None, columns={names.MAS_TASK_ID: "t"}, resource=process, seen_ns=7),
        Span(TRACE, "2", "1", "b", 1, 2, columns={names.MAS_TASK_ID: ""}),
    ]
    table = ObjectSpanTable(spans)
    assert (table.ids, table.parents, table.numbers) == (["1", "2"], [None, "1"], {"1": 0, "2": 1})
    assert (table.starts, table.lasts, table.open_spans) == ([0, 1], [7, 2], [0])
    assert table.column(names.MAS_TASK_ID) == ["t", ""]
    assert list(table.having(names.MAS_TASK_ID)) == [(0, "t")]
    assert table.processes() == ["i", None]
    assert (list(table), table[1], table[-1], len(table)) == (spans, spans[1], spans[1], 2)
