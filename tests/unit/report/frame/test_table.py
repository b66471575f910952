"""Values of every kind in the columns of pandas and Arrow."""

from __future__ import annotations

import sys

import pandas
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.errors import MissingExtra
from otel_mas.model.frame import TYPES, widen
from otel_mas.report.frame import Column, Frame

COLUMNS = [Column(kind, kind, f"a {kind}") for kind in TYPES]
FULL = ("text", 2**53 + 1, 0.5, True, 1_795_255_200_123_456_789, ["a", "b"])
EMPTY = (None,) * len(COLUMNS)

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("rows", [[], [FULL], [EMPTY], [FULL, EMPTY]], ids=["none", "full", "empty", "both"])
def test_types_do_not_depend_on_the_rows(rows: list[tuple[object, ...]]) -> None:
    frame = Frame(COLUMNS, rows)
    table = frame.to_pandas()
    assert [str(dtype) for dtype in table.dtypes] == [
        "str",
        "Int64",
        "float64",
        "boolean",
        "datetime64[ns, UTC]",
        "object",
    ]
    arrow = frame.to_arrow()
    assert [str(field.type) for field in arrow.schema] == [
        "string",
        "int64",
        "double",
        "bool",
        "timestamp[ns, tz=UTC]",
        "list<item: string>",
    ]
    assert len(table) == arrow.num_rows == len(rows)


def test_nothing_is_rounded_and_what_is_missing_stays_missing() -> None:
    frame = Frame(COLUMNS, [FULL, EMPTY])
    table = frame.to_pandas()
    assert table.integer[0] == 2**53 + 1
    assert table.time[0].value == FULL[4]
    assert table.strings[0] == ["a", "b"]
    assert table.iloc[1].isna().all()
    assert frame.to_arrow().to_pylist()[1] == dict.fromkeys(TYPES)
    assert frame.to_arrow().column("time").cast(pyarrow.int64()).to_pylist() == [FULL[4], None]


def test_arrow_fields_say_what_they_mean() -> None:
    schema = Frame(COLUMNS, []).to_arrow().schema
    assert {field.name: field.metadata[b"meaning"].decode() for field in schema} == {
        kind: f"a {kind}" for kind in TYPES
    }


@given(st.lists(ANY, max_size=4))
def test_an_attribute_of_any_values_is_a_column_of_one_type(values: list[object]) -> None:
    column, widened = widen("some.name", values)
    frame = Frame([column], [(value,) for value in widened])
    assert column.name == "attributes.some.name"
    assert frame.to_arrow().num_rows == len(values)
    assert len(frame.to_pandas()) == len(values)


@pytest.mark.parametrize(
    ("values", "kind", "widened"),
    [
        ([1, 2, None], "integer", [1, 2, None]),
        ([1, 0.5], "number", [1, 0.5]),
        ([True, None], "boolean", [True, None]),
        ([True, 1], "string", ["true", "1"]),
        ([("a",), ["b", "c"]], "strings", [("a",), ["b", "c"]]),
        (["a", 1, [1]], "string", ["a", "1", "[1]"]),
        ([2**70], "string", [str(2**70)]),
        ([b"\x01", {"k": b"\x02"}], "string", ['"01"', '{"k": "02"}']),
        ([None], "string", [None]),
    ],
)
def test_types_are_kept_where_all_values_share_one(values: list[object], kind: str, widened: list[object]) -> None:
    column, found = widen("n", values)
    assert (column.type, found) == (kind, widened)


@pytest.mark.parametrize(("library", "method"), [("pandas", "to_pandas"), ("pyarrow", "to_arrow")])
def test_a_missing_library_is_one_line_that_says_what_to_install(
    library: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingExtra) as caught:
        getattr(Frame(COLUMNS, []), method)()
    assert str(caught.value) == f"{library} is not installed: pip install otel-mas[notebook]"


def test_pandas_reads_it_back_as_it_was(tmp_path: object) -> None:
    table = Frame(COLUMNS, [FULL, EMPTY]).to_pandas()
    assert table.to_dict("list")["string"][0] == "text"
    assert isinstance(table, pandas.DataFrame)
