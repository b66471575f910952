"""Tables for data frames: columns that are described once, as pandas or Arrow."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from otel_mas.errors import MissingExtra

if TYPE_CHECKING:
    import pandas
    import pyarrow

INT64 = range(-(2**63), 2**63)

# Type of a column → (its dtype in pandas, its type in Arrow).
TYPES: Mapping[str, tuple[str, str]] = {
    "string": ("str", "string"),
    "integer": ("Int64", "int64"),
    "number": ("float64", "float64"),
    "boolean": ("boolean", "bool"),
    "time": ("datetime64[ns, UTC]", "timestamp"),
    "strings": ("object", "list"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its type (a key of `TYPES`), and what it means; docs/notebook.md says the same."""

    name: str
    type: str
    meaning: str


class Frame:
    """Rows under described columns, until somebody says as what they want them."""

    def __init__(self, columns: Iterable[Column], rows: Iterable[Sequence[Any]]) -> None:
        self.columns = tuple(columns)
        self._rows = list(rows)

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def values(self) -> Mapping[str, Sequence[Any]]:
        """Each column's values by its name; None where there is none, times in ns since the Unix epoch."""
        across: Iterator[tuple[Any, ...]] = (
            zip(*self._rows, strict=True) if self._rows else iter(((),) * len(self.columns))
        )
        return {column.name: values for column, values in zip(self.columns, across, strict=True)}

    def to_pandas(self) -> pandas.DataFrame:
        """A `pandas.DataFrame`. Raises `MissingExtra` without pandas."""
        library = _load("pandas")
        columns = {column.name: _series(library, column.type, self.values[column.name]) for column in self.columns}
        table: pandas.DataFrame = library.DataFrame(columns, columns=[column.name for column in self.columns])
        return table

    def to_arrow(self) -> pyarrow.Table:
        """A `pyarrow.Table`; its fields' metadata say what they mean. Raises `MissingExtra` without pyarrow."""
        arrow = _load("pyarrow")
        fields = [
            arrow.field(column.name, _arrow_type(arrow, column.type), metadata={"meaning": column.meaning})
            for column in self.columns
        ]
        arrays = [arrow.array(self.values[field.name], type=field.type) for field in fields]
        table: pyarrow.Table = arrow.Table.from_arrays(arrays, schema=arrow.schema(fields))
        return table


class Tabular(ABC):
    """An answer that is a table too. The columns are described in docs/notebook.md."""

    __slots__ = ()

    @abstractmethod
    def _frame(self) -> Frame: ...

    def to_pandas(self) -> pandas.DataFrame:
        """As a `pandas.DataFrame`. Raises `MissingExtra` without pandas."""
        return self._frame().to_pandas()

    def to_arrow(self) -> pyarrow.Table:
        """As a `pyarrow.Table`. Raises `MissingExtra` without pyarrow."""
        return self._frame().to_arrow()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """For whatever reads Arrow: `polars.DataFrame(...)`, `duckdb.sql(...)`, `pyarrow.table(...)`."""
        stream: Any = self.to_arrow()
        return stream.__arrow_c_stream__(requested_schema)


def _load(name: str) -> Any:
    """A library that only data frames need."""
    try:
        return import_module(name)
    except ImportError:
        raise MissingExtra(f"{name} is not installed: pip install otel-mas[notebook]") from None


def _series(pandas: Any, kind: str, values: Sequence[Any]) -> Any:
    dtype = TYPES[kind][0]
    if kind == "time":
        # Through integers: floats have no nanoseconds at this distance from the epoch.
        instants = pandas.array(values, dtype="Int64")
        return pandas.Series(pandas.to_datetime(instants, utc=True, unit="ns"), dtype=dtype)
    if kind == "string" and pandas.__version__.startswith("2."):
        dtype = "object"  # where "str" would write a missing value as the word None
    if kind == "strings":
        return pandas.Series([None if value is None else list(value) for value in values], dtype=dtype)
    return pandas.Series(list(values), dtype=dtype)


def _arrow_type(arrow: Any, kind: str) -> Any:
    if kind == "time":
        return arrow.timestamp("ns", tz="UTC")
    if kind == "strings":
        return arrow.list_(arrow.string())
    return getattr(arrow, TYPES[kind][1] + ("_" if kind == "boolean" else ""))()


def widen(name: str, values: Sequence[Any]) -> tuple[Column, list[Any]]:
    """The column for what spans say under one attribute's name, which need not be of one type.

    Numbers stay numbers where all are; lists of strings stay lists; anything mixed is text, JSON where it is no string.
    """
    known = [value for value in values if value is not None]
    meaning = f"attribute `{name}`"
    if known and all(isinstance(value, bool) for value in known):
        return Column(f"attributes.{name}", "boolean", meaning), list(values)
    if known and all(_number(value) for value in known):
        whole = all(isinstance(value, int) for value in known)
        return Column(f"attributes.{name}", "integer" if whole else "number", meaning), list(values)
    if known and all(
        isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value) for value in known
    ):
        return Column(f"attributes.{name}", "strings", meaning), list(values)
    return Column(f"attributes.{name}", "string", meaning), [
        None if value is None else _text(value) for value in values
    ]


def _number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or value in INT64


def _text(value: Any) -> str:
    if isinstance(value, str):
        # What UTF-8 cannot hold (lone surrogates) neither can Arrow.
        return value.encode(errors="replace").decode()
    return json.dumps(value, ensure_ascii=False, default=_json).encode(errors="replace").decode()


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def finite(value: object) -> float | None:
    """A number as a float; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def whole(value: object) -> int | None:
    """A count that fits a column; None for what is none."""
    number = finite(value)
    return int(number) if number is not None and int(number) in INT64 else None


def text(value: object) -> str | None:
    """Recorded text that a column can hold; None for none."""
    return None if value is None or value == "" else _text(value)
