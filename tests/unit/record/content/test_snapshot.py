"""Snapshots: what the app changes later is not in them; what JSON cannot hold is tagged."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import re
from collections import UserDict
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson
import pytest

from otel_mas.record.content.snapshot import snapshot, to_json


def test_later_changes_are_not_seen() -> None:
    inner = [1, {"k": ["v"]}]
    value = {"a": inner, "s": {1}}
    copy, _ = snapshot(value)
    inner.append(2)
    inner[1]["k"].append("w")  # type: ignore[index]
    value["b"] = 1  # type: ignore[assignment]
    assert copy == {"a": [1, {"k": ["v"]}], "s": [1]}


def test_text_and_bytes_are_shared_and_weighed() -> None:
    text, data = "x" * 1000, b"y" * 500
    copy, size = snapshot([text, data])
    assert copy[0] is text
    assert copy[1] is data
    assert 1500 <= size <= 1600


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    y: list[int]


class Login(NamedTuple):
    user: str
    password: str


class Opaque:
    def __repr__(self) -> str:
        raise AssertionError("repr is the app's code")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), {"$float": "nan"}),
        (float("-inf"), {"$float": "-inf"}),
        (2**63, {"$int": str(2**63)}),
        (2**63 - 1, 2**63 - 1),
        (True, True),
        (b"\x00", {"$bytes": "AA=="}),
        (bytearray(b"\x00"), {"$bytes": "AA=="}),
        (Colour.RED, "red"),
        (Point(1, [2]), {"x": 1, "y": [2]}),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("1.10"), "1.10"),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "(1, 2)": "c"}),
        ({b"password": 1, Colour.RED: 2, ("db", (b"pw",)): 3}, {"password": 1, "red": 2, "(db, (pw))": 3}),
        (Login("bob", "x"), {"user": "bob", "password": "x"}),
        ("lone \ud800", "lone ?"),
        ({"lone \ud800": ["\ud800"]}, {"lone ?": ["?"]}),
    ],
)
def test_values_that_json_cannot_hold_are_tagged(value: Any, expected: Any) -> None:
    assert orjson.loads(to_json(snapshot(value)[0])) == expected


def test_objects_are_copied_as_the_name_of_their_type() -> None:
    copy, _ = snapshot({"o": Opaque()})
    assert copy["o"].endswith(".Opaque>")


def test_pydantic_models_are_their_fields() -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", name=(str, ...), tags=(list[str], ...))
    assert snapshot(model(name="n", tags=["t"]))[0] == {"name": "n", "tags": ["t"]}


@pytest.mark.parametrize("value", [["x"] * 1_000_000, [[1, 2]] * 1_000_000, {n: n for n in range(1_000_000)}])
def test_huge_content_is_cut_and_marked(value: Any) -> None:
    copy, size = snapshot(value)
    assert size < 2_000_000
    assert re.search("cut by otel-mas: 9[0-9]{2},[0-9]{3} more", to_json(copy)[-60:].decode(errors="replace"))


@pytest.mark.parametrize(
    "value", [10**5000, bytearray(2 << 20), memoryview(bytes(2 << 20))], ids=["int", "bytearray", "memoryview"]
)
def test_numbers_and_changeable_bytes_are_kept_within_bounds(value: Any) -> None:
    copy, size = snapshot([value, {"k": value}])
    assert copy[0] == copy[1]["k"]
    assert copy[0].startswith(f"<{type(value).__name__} of ")
    assert size < 1000


def test_keys_of_subclasses_keep_no_text() -> None:
    class Word(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise AssertionError

    class Pair(tuple[int, ...]):
        __slots__ = ()

        def __iter__(self) -> Iterator[int]:
            raise AssertionError

        __len__ = __iter__  # type: ignore[assignment]

    class Day(datetime.date):
        def __str__(self) -> str:
            raise AssertionError

    keys = list(snapshot({Word("a"): 1, Pair((1, 2)): 2, Day(2026, 1, 2): 3, 10**5000: 4})[0])
    assert keys == ["a", "(1, 2)", f"<{Day.__qualname__}>", "<int>"]


def test_a_cycle_ends() -> None:
    value: list[Any] = []
    value.append(value)
    assert "cut by otel-mas" in to_json(snapshot(value)[0]).decode()


def test_only_plain_containers_are_read() -> None:
    class View(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            raise AssertionError

        def __iter__(self) -> Iterator[str]:
            raise AssertionError

        def __len__(self) -> int:
            raise AssertionError

    assert snapshot(View())[0] == f"<{__name__}.{View.__qualname__}>"
    assert snapshot(MappingProxyType({"a": 1}))[0] == {"a": 1}
    assert snapshot(UserDict({"a": 1}))[0] == {"a": 1}


def test_no_code_of_a_value_is_run_to_copy_it() -> None:
    class Eager(dict[str, int]):
        def items(self) -> Any:
            raise AssertionError

        __len__ = __iter__ = items  # type: ignore[assignment]

    class Liar:
        @property
        def __class__(self) -> Any:
            raise AssertionError

    @dataclasses.dataclass
    class Row:
        id: int
        body: str = ""

    Row.body = property(lambda self: 1 / 0, lambda self, value: None)  # type: ignore[assignment, method-assign]
    copied, _ = snapshot([Eager(a=1), Row(1), Liar()])
    assert copied[:2] == [{"a": 1}, {"id": 1}]
    assert copied[2].endswith("Liar>")


def test_records_that_refer_to_each_other_are_few_nodes() -> None:
    people: list[dict[str, Any]] = [{"name": str(number)} for number in range(40)]
    for one in people:
        one["friends"] = people
    assert snapshot(people)[1] < 10_000
