"""Time on an axis."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.report.svg.timescale import TimeScale

S = 10**9


def test_a_long_idle_stretch_is_drawn_short_and_says_so() -> None:
    scale = TimeScale([(0, 6 * S), (65 * S, 67 * S)], 0, 800)
    (gap,) = scale.idle
    assert gap.shrunk
    assert gap.right - gap.left < 120
    assert round((scale.at(6 * S) - scale.at(0)) / (scale.at(67 * S) - scale.at(65 * S)), 6) == 3


def test_a_short_idle_stretch_keeps_its_scale() -> None:
    (gap,) = TimeScale([(0, 6 * S), (6 * S + S // 10, 8 * S)], 0, 800).idle
    assert not gap.shrunk


def test_a_year_of_waiting_squeezes_nothing() -> None:
    scale = TimeScale([(0, S), (10**16, 10**16 + S)], 0, 800)
    assert scale.at(S) - scale.at(0) > 300


def test_ticks_are_round_apart_and_not_in_what_is_not_to_scale() -> None:
    scale = TimeScale([(0, 6 * S), (65 * S, 67 * S)], 0, 800)
    ticks = scale.ticks(60)
    assert [tick / S for tick in ticks] == [0, 1, 2, 3, 4, 5, 66, 67]
    assert all(scale.at(other) - scale.at(one) >= 48 for one, other in pairwise(ticks))


@given(
    st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 10**15)).map(sorted).map(tuple), min_size=1, max_size=20),
    st.lists(st.integers(-(10**14), 10**16), min_size=2),
)
def test_later_is_never_further_left_and_nothing_leaves_the_picture(busy: list[tuple[int, int]], at: list[int]) -> None:
    scale = TimeScale(busy, 100, 900)
    positions = [scale.at(ns) for ns in sorted(at)]
    assert positions == sorted(positions)
    assert all(99.9 <= position <= 900.1 for position in positions)
    assert all(one.right == other.left for one, other in pairwise(scale.pieces))
    assert len(scale.ticks(60)) < 30


def test_many_idle_stretches_leave_two_thirds_of_the_picture_to_the_work() -> None:
    turns = 200
    scale = TimeScale([(turn * 1_000 * S, turn * 1_000 * S + S) for turn in range(turns)], 0, 900)
    assert round(scale.per_ns * turns * S) == 600
    assert all(gap.shrunk for gap in scale.idle)
