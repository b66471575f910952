"""Records as they stand in files, and the form that a file's name stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from otel_mas.trace_records.record import TraceRecord

_PACKED = (".msgpack", ".mp")


def encoded(records: Iterable[TraceRecord], packed: bool) -> Iterator[bytes]:
    """Each record as it stands in a file: a line of JSON, or a map of MessagePack.

    Raises:
        MissingExtra: by MessagePack without the package msgpack.
    """
    for record in records:
        yield record.to_msgpack() if packed else record.to_json() + b"\n"


def is_message_pack(path: Path) -> bool:
    """Whether a file of this name holds MessagePack, by its ending."""
    return Path(path.stem if path.suffix == ".gz" else path.name).suffix in _PACKED


__all__ = ["encoded", "is_message_pack"]
