"""Values of checkpoints are decoded as plain data, whatever they name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Interrupt, Send

from otel_mas.sources.checkpoints.values import plain_value


def constructor(*path: str, lc: int = 2, **given: Any) -> dict[str, Any]:
    return {"lc": lc, "type": "constructor", "id": list(path), **given}


@pytest.mark.parametrize("lc", [1, 2])
def test_a_constructor_in_json_is_not_called(lc: int, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    made = constructor("os", "makedirs", lc=lc, args=[str(marker)], kwargs={"name": str(marker)})
    assert plain_value("json", json.dumps({"note": [made]}).encode()) == {"note": [None]}
    assert not marker.exists()


@pytest.mark.parametrize("code", range(8))
def test_an_extension_in_msgpack_is_not_called(code: int, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    given: Any = {"name": str(marker)} if code in (2, 5) else [str(marker)] if code == 1 else str(marker)
    made = ormsgpack.Ext(code, ormsgpack.packb(("os", "makedirs", given, "mkdir")))
    assert plain_value("msgpack", ormsgpack.packb({"note": made})) == {"note": None}
    assert not marker.exists()


def test_no_code_of_langgraph_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JsonPlusSerializer, "loads_typed", lambda *_: pytest.fail("LangGraph's serializer was used"))
    monkeypatch.setattr(JsonPlusSerializer, "_reviver", lambda *_: pytest.fail("LangGraph's reviver was used"))
    assert plain_value("json", b'{"a": 1}') == plain_value("msgpack", ormsgpack.packb({"a": 1})) == {"a": 1}


@pytest.mark.parametrize("value", [{"a", "b"}, frozenset("ab"), [1, "x", None, 2.5, b"y"], {"k": {"n": (1, 2)}}])
def test_plain_values_come_back_and_sets_as_tuples(value: Any) -> None:
    found = plain_value(*JsonPlusSerializer().dumps_typed(value))
    if isinstance(value, set | frozenset):
        assert isinstance(found, tuple)
        assert sorted(found) == sorted(value)
    else:
        assert found == json.loads(json.dumps(value)) if isinstance(value, dict) else found == value


def test_sends_and_interrupts_are_their_names_in_both_formats() -> None:
    saved = JsonPlusSerializer().dumps_typed([Send("cook", {"x": 1}), Interrupt(value="?", id="i1")])
    assert plain_value(*saved) == ["cook", "i1"]
    old = [
        constructor("langgraph", "types", "Send", kwargs={"node": "cook", "arg": {}}),
        constructor("langgraph", "types", "Interrupt", kwargs={"value": "?", "id": "i1"}),
        constructor("builtins", "set", args=[["a", "b"]]),
    ]
    assert plain_value("json", json.dumps(old).encode()) == ["cook", "i1", ("a", "b")]


def nested_extensions(depth: int) -> bytes:
    data = ormsgpack.packb(("builtins", "set", []))
    for _ in range(depth):
        data = ormsgpack.packb(("builtins", "set", ormsgpack.Ext(0, data)))
    return ormsgpack.packb(ormsgpack.Ext(0, data))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("json", b"[" * 50_000 + b"]" * 50_000),
        ("json", b'{"a":' * 50_000),
        ("json", b"\xff"),
        ("msgpack", b"\x91" * 50_000),
        ("msgpack", b"\xdd\xff\xff\xff\xff"),
        ("msgpack", nested_extensions(2_000)),
        ("msgpack", b""),
    ],
    ids=["lists", "objects", "not UTF-8", "arrays", "a length that is not there", "extensions", "empty"],
)
def test_damaged_and_deep_values_are_errors(kind: str, data: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        plain_value(kind, data)


def test_members_of_a_set_that_hash_alike_take_linear_time() -> None:
    members = [(2**61 - 1) * number for number in range(200_000)]  # as a set: minutes
    found = plain_value("json", json.dumps(constructor("builtins", "set", args=[members])).encode())
    assert found == tuple(members)
