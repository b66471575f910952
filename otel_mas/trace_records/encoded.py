"""Records, and other fields, as they stand in files, and the form that a file's name stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from otel_mas.trace_records.formats import json_line, packer
from otel_mas.trace_records.record import TraceRecord

_JSON_LINES: Final = (".jsonl", ".ndjson")
_PACKED: Final = (".msgpack", ".mp")


def encoded(records: Iterable[TraceRecord], packed: bool) -> Iterator[bytes]:
    """Each record as it stands in a file; see `encoded_fields`."""
    return encoded_fields((record.fields() for record in records), packed)


def encoded_fields(items: Iterable[Mapping[str, Any]], packed: bool) -> Iterator[bytes]:
    """The fields of each item as they stand in a file: a line of JSON, or a map of MessagePack.

    Raises:
        MissingExtra: by MessagePack without the package msgpack.
    """
    if packed:
        yield from map(packer(), items)
    else:
        for fields in items:
            yield json_line(fields) + b"\n"


def is_message_pack(path: Path) -> bool:
    """Whether a file of this name holds MessagePack, by its ending."""
    return _ending(path) in _PACKED


def names_a_form(path: Path) -> bool:
    """Whether the ending of a file's name says that it holds JSON lines or MessagePack."""
    return _ending(path) in (*_JSON_LINES, *_PACKED)


def _ending(path: Path) -> str:
    return Path(path.stem if path.suffix == ".gz" else path.name).suffix


__all__ = ["encoded", "encoded_fields", "is_message_pack", "names_a_form"]
