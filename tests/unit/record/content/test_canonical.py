"""Canonical form v1: the same bytes exactly for the same content."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.record import canonical_form
from otel_mas.record.content.digest import Digester

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def test_the_specified_bytes() -> None:
    """The example of docs/messages.md; a change here is a new version of the form."""

    def length(number: int) -> bytes:
        return number.to_bytes(8, "big")

    assert canonical_form("user", [text("hé")]) == (
        b"otel-mas message 1\0" + b"s" + length(4) + b"user" + length(1)
        + b"s" + length(4) + b"text" + b"s" + length(3) + "hé".encode()
    )  # fmt: skip


@given(JSON, JSON)
def test_different_values_have_different_bytes(one: Any, other: Any) -> None:
    def form(value: Any) -> bytes:
        return canonical_form("user", [{"type": "x", "value": value}])

    assert (form(one) == form(other)) == (_normal(one) == _normal(other))


def _normal(value: Any) -> Any:
    """Equality as the form has it: 1 is 1.0 and not True; text is not bytes."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return ("n", value) if abs(value) < 2**53 else ("int", value)
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 2**53:
            return ("n", int(value))
        return ("float", value)
    if isinstance(value, list):
        return ("l", [_normal(item) for item in value])
    if isinstance(value, dict):
        return ("m", {key: _normal(item) for key, item in value.items()})
    return value


def test_order_of_keys_is_no_difference() -> None:
    one = {"type": "tool_call", "name": "f", "arguments": {"a": 1, "b": 2}, "id": "1"}
    other = {"id": "1", "arguments": {"b": 2, "a": 1}, "type": "tool_call", "name": "f"}
    assert canonical_form("assistant", [one]) == canonical_form("assistant", [other])


def test_arguments_as_text_are_arguments() -> None:
    parsed = {"type": "tool_call", "name": "f", "id": "1", "arguments": {"a": 1.0}}
    as_text = {**parsed, "arguments": json.dumps({"a": 1})}
    assert canonical_form("assistant", [parsed]) == canonical_form("assistant", [as_text])


def test_arguments_that_are_no_json_object_stay_text() -> None:
    for arguments in ("{broken", "[1]", "7"):
        call = {"type": "tool_call", "name": "f", "id": "1", "arguments": arguments}
        assert canonical_form("assistant", [call]) != canonical_form("assistant", [{**call, "arguments": {}}])


def test_a_blob_is_its_bytes() -> None:
    raw = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": b"\x89PNG"}
    encoded = {**raw, "content": base64.b64encode(b"\x89PNG").decode()}
    assert canonical_form("user", [raw]) == canonical_form("user", [encoded])


def test_parts_do_not_run_together() -> None:
    assert canonical_form("user", [text("ab")]) != canonical_form("user", [text("a"), text("b")])
    assert canonical_form("user", [text("a")]) != canonical_form("assistant", [text("a")])


def test_transport_fields_of_a_known_part_do_not_count() -> None:
    assert canonical_form("user", [text("a")]) == canonical_form("user", [{**text("a"), "annotations": [1], "id": "x"}])


def test_every_field_of_an_unknown_part_counts() -> None:
    assert canonical_form("user", [{"type": "new", "a": 1}]) != canonical_form("user", [{"type": "new", "a": 2}])


def test_lone_surrogates_have_a_form() -> None:
    assert canonical_form("user", [text("\ud800")]) != canonical_form("user", [text("?")])


def test_the_example_in_the_documentation_is_right() -> None:
    page = (Path(__file__).parents[4] / "docs" / "messages.md").read_text()
    example = page.split("### An example")[1]
    form = b"".join(
        bytes.fromhex(re.sub(r"\s", "", line[:44])) for line in example.splitlines() if line.startswith("    ")
    )
    digest = Digester(lambda: bytes(32)).digest(form)
    assert form == canonical_form("user", [text("hé")])
    assert f"its digest is `{digest}`" in example


class _Text(str):
    """A text that is not taken the quick way."""


@given(st.text(), st.text())
def test_the_quick_way_for_one_text_gives_the_specified_form(role: str, text: str) -> None:
    general = canonical_form(role, [{"type": "text", "content": _Text(text)}])
    assert canonical_form(role, [{"type": "text", "content": text}]) == general
