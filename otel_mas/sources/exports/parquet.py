"""Parquet files of other programs' exports, row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from otel_mas.errors import MissingExtra
from otel_mas.store.files import header

_MAGIC: Final = b"PAR1"
_TAIL_BYTES: Final = 2**20
"""The end of a file, where the names of its columns are."""
_UUID_BYTES: Final = 16


def is_parquet(path: Path) -> bool:
    """Whether a file begins like one of Parquet."""
    try:
        return header(path).startswith(_MAGIC)
    except OSError:
        return False


def has_columns(path: Path, columns: Collection[bytes]) -> bool:
    """Whether a file is Parquet that names these columns; they are plain in its footer, so it takes no reader."""
    if not is_parquet(path):
        return False
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            tail = file.read()
    except OSError:
        return False
    return tail.endswith(_MAGIC) and all(column in tail for column in columns)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file: times as text in ISO 8601, UUIDs as text.

    Raises:
        MissingExtra: pyarrow is not installed.
        ValueError: it cannot be read.
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra(f"{path} is Parquet, which needs pyarrow: pip install 'otel-mas[notebook]'") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    yield {name: _plain(value) for name, value in row.items()}
    except (pyarrow.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(str(error)) from None  # pyarrow's own OSError tells of what is damaged


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, bytes) and len(value) == _UUID_BYTES:
        return str(UUID(bytes=value))
    return str(value) if isinstance(value, UUID) else value


__all__ = ["has_columns", "is_parquet", "rows"]
