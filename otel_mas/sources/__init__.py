"""Sources of traces, found by entry point: a path, or `scheme://...`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from otel_mas.errors import UnknownSource
from otel_mas.sources.base import (
    Capabilities,
    FindsLatest,
    Followed,
    KnowsProcesses,
    Source,
    SourceType,
    Tail,
    Versioned,
)

__all__ = [
    "GROUP",
    "Capabilities",
    "FindsLatest",
    "Followed",
    "KnowsProcesses",
    "Source",
    "SourceType",
    "Tail",
    "Versioned",
    "installed_sources",
    "open_source",
]

GROUP = "otel_mas_source"
_DEFAULT = "store"
_FIRST = (_DEFAULT, "otlp+file")
"""Files that otel-mas writes: looked for before sources of others are imported, of which some take 0.1 s."""
# Two letters at least, so that C:\runs.db is a path.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
# Files that `otel-mas export` writes.
_EXPORTED = re.compile(r"\.(jsonl?|msgpack)(\.(gz|zst))?$", re.IGNORECASE)
_OF_CONSOLE = {b"name", b"context", b"parent_id", b"start_time"}
"""Names in the JSON of a span of OpenTelemetry's SDK."""
# host:port, with or without a path.
_ADDRESS = re.compile(r"[\w.-]+:\d{1,5}(/.*)?")


def installed_sources() -> dict[str, EntryPoint]:
    """Installed sources by scheme, ours and those of other packages; nothing is imported yet."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def open_source(target: str | Path, known: Mapping[str, EntryPoint] | None = None) -> Source:
    """Open a path or a `scheme://...`.

    Args:
        target: A path, for the source that recognises its content, or `scheme://` and what that source takes.
        known: The sources to choose from, by scheme; the installed ones by default.

    Raises:
        UnknownSource: No source has this scheme, or an address comes without one.
        StoreError: A path holds no store that can be read, nor a file of another source.
    """
    known = installed_sources() if known is None else known
    scheme = _SCHEME.fullmatch(target) if isinstance(target, str) else None
    if scheme is not None:
        return _type(scheme[1].lower(), known, str(target)).open(scheme[2])
    path = Path(target).expanduser()
    for name in (*(one for one in _FIRST if one in known), *(one for one in known if one not in _FIRST)):
        found = _type(name, known, str(target))
        if found.recognises(path):
            return found.open(str(path))
    if not path.exists() and _ADDRESS.fullmatch(str(target)):
        schemes = ", ".join(f"{name}://{target}" for name in known if name.endswith(("+http", "+https", "+grpc")))
        raise UnknownSource(f"{target} is no file, and an address needs a scheme: one of {schemes}")
    if _EXPORTED.search(path.name) and not path.is_dir():
        if not path.exists():
            raise UnknownSource(f"there is no file {path}: `otel-mas export -o {path.name}` writes traces into one")
        if not path.stat().st_size:
            raise UnknownSource(f"{path} is empty: no trace was written into it")
        if _is_of_console(path):
            raise UnknownSource(
                f"{path} has what OpenTelemetry's ConsoleSpanExporter prints, which is for people: let the app export "
                "OTLP to `otel-mas serve`, or into a file"
            )
        raise UnknownSource(f"{path} has neither OTLP nor trace records that could be read: is it of another program?")
    # No source recognises the file, or there is none: the error of the store tells what is wrong.
    return _type(_DEFAULT, known, str(target)).open(str(path))


def _is_of_console(path: Path) -> bool:
    from otel_mas.sources.exports.source import beginning
    from otel_mas.sources.first_object import names_of_first_object

    return path.is_file() and names_of_first_object(beginning(path)) >= _OF_CONSOLE


def _type(scheme: str, known: Mapping[str, EntryPoint], target: str) -> SourceType:
    if scheme not in known:
        if not known:
            raise UnknownSource(f"no source is installed that could read {target}: reinstall otel-mas")
        schemes = ", ".join(f"{name}://" for name in known)
        raise UnknownSource(f"no source reads {scheme}:// ({target}): give the path of a store, or one of {schemes}")
    return cast(SourceType, known[scheme].load())
