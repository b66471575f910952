"""Rules by path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.privacy.personal.paths import Paths


@pytest.mark.parametrize(
    ("pattern", "path", "has"),
    [
        ("user.name", "user.name", True),
        ("user.name", "user.name.first", True),
        ("user", "user.name", True),
        ("user", "users", False),
        ("user.name", "user", False),
        ("user.*", "user.name", True),
        ("user.*", "user", False),
        ("*.name", "user.name", True),
        ("*.name", "a.user.name", False),
        ("**.name", "a.user.name", True),
        ("**.name", "name", True),
        ("**.name", "surname", False),
        ("a.**.z", "a.z", True),
        ("a.**.z", "a.b.c.z.q", True),
        ("a.**", "a.b", True),
        ("na*", "name", True),
        ("tool:send.body", "tool:send.body", True),
        ("tool:*.body", "tool:send.body", True),
        ("a+b", "aab", False),
    ],
)
def test_a_pattern_is_for_a_path_and_all_below_it(pattern: str, path: str, has: bool) -> None:
    assert Paths([pattern]).has(path) is has


def test_no_pattern_is_for_nothing() -> None:
    assert not Paths([])
    assert not Paths([]).has("a")


@given(st.lists(st.sampled_from(["a", "bc", "x.y"]), min_size=1, max_size=600))
def test_a_long_path_of_hostile_keys_ends_in_time(keys: list[str]) -> None:
    assert Paths(["**.no.**.way.**.out"]).has(".".join(keys)) is False
