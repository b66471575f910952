"""Lanes beside rows, from causes down to effects."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.report.lanes import Row, draw


def drawn(nodes: list[str], edges: list[tuple[str, str]], most: int = 20) -> list[Row]:
    rows = draw(nodes, edges, most)
    assert rows is not None
    return rows


def picture(nodes: str, *edges: str) -> list[str]:
    """Lines as `lanes  node`; edges as "ab" for a → b."""
    lines = []
    for row in drawn(list(nodes), [(edge[0], edge[1]) for edge in edges]):
        lines.append(f"{row.line:<6} {row.node}")
        lines += [row.fork] if row.fork is not None else []
    return lines


def test_a_chain_is_one_lane() -> None:
    assert picture("abc", "ab", "bc") == ["○      a", "●      b", "●      c"]


def test_a_fan_out_opens_lanes_and_a_join_closes_them() -> None:
    assert picture("pxyzj", "px", "py", "pz", "xj", "yj", "zj") == [
        "○─┬─┐  p",
        "● │ │  x",
        "│ ● │  y",
        "│ │ ●  z",
        "●─┴─┘  j",
    ]


def test_an_arm_crosses_lanes_that_it_has_nothing_to_do_with() -> None:
    assert picture("abcde", "ab", "ae", "bc", "bd") == ["○─┐    a", "●─┼─┐  b", "● │ │  c", "  │ ●  d", "  ●    e"]


def test_a_node_that_joins_and_forks_forks_on_a_line_of_its_own() -> None:
    assert picture("abcdef", "ab", "ac", "bd", "cd", "de", "df") == [
        "○─┐    a",
        "● │    b",
        "│ ●    c",
        "●─┘    d",
        "├─┐",
        "● │    e",
        "  ●    f",
    ]


def test_what_has_no_cause_is_marked_though_it_reuses_a_lane() -> None:
    assert picture("abc", "ab") == ["○      a", "●      b", "○      c"]


def test_an_edge_that_leads_back_is_not_drawn() -> None:
    assert picture("ab", "ab", "ba", "aa") == ["○      a", "●      b"]


def test_more_lanes_than_asked_for_are_not_drawn_at_all() -> None:
    fan_out = [("p", str(number)) for number in range(21)]
    nodes = ["p", *map(str, range(21))]
    assert draw(nodes, fan_out) is None
    assert draw(nodes, fan_out[:20]) is not None


def test_the_line_below_a_node_runs_its_lanes_on() -> None:
    rows = drawn(list("abc"), [("a", "b"), ("a", "c")])
    assert [row.below for row in rows] == ["│ │", "  │", ""]


@given(
    st.integers(1, 12).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))))
    )
)
def test_every_node_is_drawn_once_and_no_lane_is_left_open(case: tuple[int, set[tuple[int, int]]]) -> None:
    number, edges = case
    nodes = [str(i) for i in range(number)]
    rows = drawn(nodes, [(str(a), str(b)) for a, b in edges], most=200)
    assert [row.node for row in rows] == nodes
    assert all(len([mark for mark in row.line if mark in "●○"]) == 1 for row in rows)
    assert rows[-1].below == ""
    caused = {str(b) for a, b in edges if a < b}
    assert [node for node, row in zip(nodes, rows, strict=True) if "○" in row.line] == [
        node for node in nodes if node not in caused
    ]
