"""What a query means for the attributes of a span."""

from __future__ import annotations

from typing import Any

import pytest

from otel_mas.model import Query, Resource, Span
from otel_mas.model.query import attribute_text, has_attribute


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), ("", ""), (True, "true"), (False, "false"), (2, "2"), (2.0, "2"), (2.5, "2.5"), (b"a", None)],
)
def test_scalars_are_compared_as_text(value: Any, text: str | None) -> None:
    assert attribute_text(value) == text


def test_an_attribute_is_one_of_the_span_or_of_its_process_or_in_an_array() -> None:
    span = Span(
        "t", "s", None, "x", 0, 1, columns={"n": 1, "many": ("a", "b")}, resource=Resource({"service.version": "1.2"})
    )

    assert has_attribute(span, "n", "1")
    assert has_attribute(span, "many", "b")
    assert has_attribute(span, "service.version", "1.2")
    assert not has_attribute(span, "service.version", "1")
    assert not has_attribute(span, "many", "('a', 'b')")
    assert not has_attribute(span, "absent", "None")


def test_fields_that_are_not_set_are_not_asked() -> None:
    assert Query().asked() == {}
    assert Query(agent="a", attributes=(("b", "c"),), limit=1).asked() == {"agent": "a", "attributes": (("b", "c"),)}
