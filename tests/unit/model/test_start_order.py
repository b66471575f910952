"""The order of a trace's spans."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.model import Span
from otel_mas.model.start_order import in_start_order


def _span(span_id: str, parent: str | None, start_ns: int) -> Span:
    return Span("t", span_id, parent, "n", start_ns, start_ns)


IDS = st.sampled_from("abcdef")


@given(st.lists(st.builds(_span, IDS, st.none() | IDS, st.integers(0, 2)), max_size=8))
def test_spans_are_ordered_by_start_then_parents_then_id(spans: list[Span]) -> None:
    ordered = in_start_order(spans)
    assert sorted(map(id, ordered)) == sorted(map(id, spans))
    assert [span.start_ns for span in ordered] == sorted(span.start_ns for span in spans)


def test_a_parent_comes_before_children_that_start_with_it() -> None:
    spans = [_span("a", "b", 1), _span("b", "c", 1), _span("c", None, 1), _span("d", "c", 1), _span("z", "a", 0)]
    assert [span.span_id for span in in_start_order(spans)] == ["z", "c", "b", "d", "a"]


def test_ten_thousand_spans_that_start_together_in_one_chain_are_ordered_without_recursion() -> None:
    spans = [_span(f"{n:08}", f"{n + 1:08}", 1) for n in range(10_000)]
    assert in_start_order(spans)[0].span_id == "00009999"
