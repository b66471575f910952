"""Unions and differences of intervals, against sets of instants."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.intervals import Interval, length, minus, union

INTERVALS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def instants(intervals: list[Interval]) -> set[int]:
    return {instant for start, end in intervals for instant in range(start, end)}


@given(INTERVALS)
def test_a_union_is_the_same_time_apart_and_in_order(intervals: list[Interval]) -> None:
    merged = union(intervals)
    assert instants(merged) == instants(intervals)
    assert length(merged) == len(instants(intervals))
    assert all(start < end for start, end in merged)
    assert all(before[1] < after[0] for before, after in pairwise(merged))


@given(INTERVALS, INTERVALS)
def test_a_difference_is_what_only_the_first_has(one: list[Interval], other: list[Interval]) -> None:
    left = minus(union(one), union(other))
    assert instants(left) == instants(one) - instants(other)
    assert left == union(left)
