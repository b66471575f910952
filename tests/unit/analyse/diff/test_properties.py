"""What holds of the diff of any two runs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.diff import Change, RunDiff, diff_runs
from otel_mas.analyse.diff.sequences import common_subsequence, longest_increasing
from tests.unit.analyse.diff.runs import Node, Recorded, diff, run

KINDS = ("task", "model", "tool", "span")
OPPOSITES = {
    Change.ADDED: Change.REMOVED,
    Change.REMOVED: Change.ADDED,
    Change.SLOWER: Change.FASTER,
    Change.FASTER: Change.SLOWER,
}


@st.composite
def nodes(draw: st.DrawFn, texts: st.SearchStrategy[str], kinds: Sequence[str] = KINDS) -> Node:
    """A step with steps inside, of few names, so that most are repeated."""

    def node(depth: int) -> Node:
        kind = draw(st.sampled_from(kinds))
        inside = tuple(node(depth + 1) for _ in range(draw(st.integers(0, 3 if depth < 2 else 0))))
        name = draw(st.sampled_from(("a", "b")))
        return Node(kind, name, draw(texts), draw(texts), inside, side_by_side=draw(st.booleans()))

    return run(*(node(0) for _ in range(draw(st.integers(0, 4)))))


REPEATED = nodes(st.sampled_from(("", "yes", "no")))


def shown(found: RunDiff) -> list[tuple[Any, ...]]:
    return [
        (-1 if step.a is None else step.a.number, -1 if step.b is None else step.b.number, sorted(step.changes))
        for step in found.steps
    ]


@given(REPEATED)
def test_a_run_and_the_same_run_again_are_the_same(tree: Node) -> None:
    found = diff(tree, tree)

    assert [step.changes for step in found.steps] == [()] * tree.count()


@given(REPEATED, REPEATED)
def test_each_step_is_there_once_and_the_mirror_is_the_mirror(one: Node, other: Node) -> None:
    a, b = Recorded(one).steps, Recorded(other).steps
    forth, back = diff_runs(a, b), diff_runs(b, a)

    assert sorted(step.a.number for step in forth.steps if step.a) == list(range(one.count()))
    assert sorted(step.b.number for step in forth.steps if step.b) == list(range(other.count()))
    mirrored = [(b, a, sorted(OPPOSITES.get(change, change) for change in changes)) for a, b, changes in shown(back)]
    assert sorted(shown(forth)) == sorted(mirrored)


@given(REPEATED, REPEATED)
def test_every_difference_follows_from_a_divergence(one: Node, other: Node) -> None:
    found = diff(one, other)

    assert found.same == (found.first_divergence is None)
    for step in found.steps:
        origin = found.follows_from(step)
        assert (origin is None) == (not step.differs)
        assert origin is None or origin in found.divergences
    accounted = [one for first in found.divergences for one in (first, *found.consequences(first))]
    assert len(accounted) == len(found.differing)


@given(st.data())
def test_a_step_that_is_taken_out_is_what_is_removed(data: st.DataObject) -> None:
    numbers = itertools.count()
    texts = st.builds(lambda: f"text {next(numbers)}")
    tree = data.draw(nodes(texts, ("task", "model", "tool")).filter(lambda tree: tree.inside))
    places = list(paths(tree))
    place = data.draw(st.sampled_from(places))

    found = diff(tree, without(tree, place))

    taken = at(tree, place)
    assert [step.changes for step in found.differing] == [(Change.REMOVED,)] * taken.count()
    labels = [step.label for step in diff_runs(found.a, found.a).steps]
    first = number_of(tree, place)
    assert [step.label for step in found.differing] == labels[first : first + taken.count()]


def paths(node: Node, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    found = []
    for number, inside in enumerate(node.inside):
        found += [(*path, number), *paths(inside, (*path, number))]
    return found


def at(node: Node, path: Sequence[int]) -> Node:
    return node if not path else at(node.inside[path[0]], path[1:])


def without(node: Node, path: Sequence[int]) -> Node:
    first, *rest = path
    kept = [without(node.inside[first], rest)] if rest else []
    return node.having(inside=(*node.inside[:first], *kept, *node.inside[first + 1 :]))


def number_of(node: Node, path: Sequence[int]) -> int:
    """How many steps come before the one with this path."""
    if not path:
        return 0
    return 1 + sum(one.count() for one in node.inside[: path[0]]) + number_of(node.inside[path[0]], path[1:])


@given(st.lists(st.sampled_from("abc"), max_size=14), st.lists(st.sampled_from("abcd"), max_size=14))
def test_a_common_subsequence_is_one(one: list[str], other: list[str]) -> None:
    pairs = common_subsequence(one, other)

    assert all(one[i] == other[j] for i, j in pairs)
    assert all(i < k and j < m for (i, j), (k, m) in itertools.pairwise(pairs))
    assert bool(pairs) == bool(set(one) & set(other))


@given(st.lists(st.integers(0, 40), max_size=60))
def test_the_longest_increasing_subsequence_increases(values: list[int]) -> None:
    chosen = [values[place] for place in longest_increasing(values)]

    assert all(a < b for a, b in itertools.pairwise(chosen))
    lengths: list[int] = []
    for place, value in enumerate(values):
        lengths.append(1 + max((lengths[before] for before in range(place) if values[before] < value), default=0))
    assert len(chosen) == max(lengths, default=0)
