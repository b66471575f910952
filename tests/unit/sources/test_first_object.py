"""Names in the first JSON object of a file, from its beginning."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.sources.first_object import names_of_first_object

documents = st.dictionaries(
    st.text(max_size=5),
    st.recursive(
        st.one_of(st.none(), st.text(max_size=5)),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(max_size=5), inner)),
    ),
    max_size=4,
)  # fmt: skip


@given(documents, documents)
def test_they_are_those_of_the_first_object_alone(first: dict[str, Any], second: dict[str, Any]) -> None:
    lines = f"{json.dumps(first)}\n{json.dumps(second)}".encode()

    assert {json.loads(b'"' + name + b'"') for name in names_of_first_object(lines)} == set(first)


@given(documents, st.integers(0, 60))
def test_of_a_beginning_they_are_some_of_them(document: dict[str, Any], size: int) -> None:
    whole = json.dumps(document).encode()

    assert names_of_first_object(whole[:size]) <= names_of_first_object(whole)


def test_names_inside_are_looked_for_where_asked() -> None:
    head = b'{"result": {"resourceSpans": [{"a": 1}]}, "other": {"b": 1}}'

    assert names_of_first_object(head, (b"result",)) == {b"result", b"resourceSpans", b"other"}


def test_what_is_no_object_has_none() -> None:
    assert names_of_first_object(b"[1]") == names_of_first_object(b"") == names_of_first_object(b"\x0a\x05") == set()
