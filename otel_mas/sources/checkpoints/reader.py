"""Reader of the SQLite file of LangGraph's `SqliteSaver`: read-only, nothing of the app is imported."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

from otel_mas.errors import SourceError
from otel_mas.model.channels import BRANCH_TO, ERROR, INTERRUPT, JOIN, TASKS
from otel_mas.sources.checkpoints.values import MOST_BYTES, READABLE, plain_value
from otel_mas.store.files import SQLITE_MAGIC, header

NULL_TASK = "00000000-0000-0000-0000-000000000000"
"""The id under which the caller's own writes are kept: `Command(goto=..., resume=...)`."""

_TABLES = frozenset(("checkpoints", "writes"))
_ORDINARY_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0"  # no view, no virtual table
# The clock of a version 6 UUID begins with the Gregorian calendar: this many times 100 ns before 1970.
_UUID_EPOCH = 0x01B21DD213814000


@dataclass(frozen=True, slots=True)
class TaskWrite:
    """A task's write to a channel; its value only where it tells causes."""

    task_id: str
    path: str
    channel: str
    value: Any


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint, and what the tasks wrote that started from it."""

    thread: str
    namespace: str
    id: str
    parent: str | None
    step: int
    source: str
    time_ns: int
    versions: Mapping[str, Any]
    seen: Mapping[str, Mapping[str, Any]]
    values: Mapping[str, Any]
    metadata: Mapping[str, Any]
    writes: tuple[TaskWrite, ...]

    @cached_property
    def sends(self) -> tuple[str | None, ...]:
        """The nodes of the `Send`s that wait here, in LangGraph's order."""
        sends = self.values.get(TASKS)
        return tuple(one if isinstance(one, str) else None for one in sends) if isinstance(sends, list | tuple) else ()


class CheckpointFile:
    """A `SqliteSaver`'s file, open for reading. Another process may be writing to it."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError, with what to do, where there is no such file or it is something else."""
        self.path = path
        if not path.exists():
            raise SourceError(f"no file at {path}: give the path that SqliteSaver.from_conn_string(...) was given")
        if not _is_sqlite(path):
            raise SourceError(f"{path} is no SQLite file: give the one that LangGraph's SqliteSaver writes")
        self._connection = _connect(path)
        missing = _TABLES - self._tables()
        if missing:
            self._connection.close()
            raise SourceError(
                f"{path} holds no LangGraph checkpoints (it has no table {' and no table '.join(sorted(missing))}):"
                " give the file that SqliteSaver writes"
            )
        for table in sorted(_TABLES):
            if any(row[6] for row in self._rows(f"PRAGMA table_xinfo({table})")):
                self._connection.close()
                raise SourceError(
                    f"{path} has computed or hidden columns in its table {table}: give the file that SqliteSaver writes"
                )
        columns = {row[1] for row in self._rows("PRAGMA table_info(writes)")}
        # Older savers kept only the id of the task that wrote.
        self._path = "task_path" if "task_path" in columns else "''"

    def close(self) -> None:
        self._connection.close()

    def version(self) -> int:
        """A number that changes whenever another connection has written to the file."""
        (found,) = self._rows("PRAGMA data_version")
        return int(found[0])

    def threads(self) -> list[tuple[str, int]]:
        """Every thread, and when its last checkpoint was made (ns since the epoch): the last one first."""
        rows = self._rows("SELECT thread_id, MAX(checkpoint_id) FROM checkpoints GROUP BY thread_id ORDER BY 2 DESC")
        found = [(thread, _made(newest)) for thread, newest in rows]
        if not all(isinstance(thread, str) for thread, _ in found):
            raise SourceError(f"{self.path} is damaged: a thread's id in its table checkpoints is no text")
        return found

    def thread(self, thread: str) -> list[Checkpoint]:
        """All checkpoints of a thread, in the order in which they were made."""
        writes: dict[tuple[str, str], list[TaskWrite]] = {}
        for namespace, checkpoint, task, path, channel, kind, value in self._rows(
            f"SELECT checkpoint_ns, checkpoint_id, task_id, {self._path}, channel, type, value FROM writes"
            " WHERE thread_id = ? ORDER BY 4, task_id, idx",
            thread,
        ):
            if not all(isinstance(one, str) for one in (namespace, checkpoint, task, path, channel)):
                raise self._damaged(checkpoint, thread)
            tells = channel in (INTERRUPT, ERROR) or channel.startswith(JOIN)
            decoded = self._load(kind, value) if tells else None
            writes.setdefault((namespace, checkpoint), []).append(TaskWrite(task, path, channel, decoded))
        return [
            self._checkpoint((thread, *row[:3]), self._load(*row[3:5]), row[5], tuple(writes.get(row[:2], ())))
            for row in self._rows(
                "SELECT checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata FROM checkpoints"
                " WHERE thread_id = ? ORDER BY checkpoint_id",
                thread,
            )
        ]

    def _checkpoint(
        self, where: tuple[str, str, str, str | None], state: Any, text: Any, writes: tuple[TaskWrite, ...]
    ) -> Checkpoint:
        thread, namespace, key, parent = where
        try:
            metadata = json.loads(text) if text else {}
            _check(where, state, metadata)
            return Checkpoint(
                thread=thread,
                namespace=namespace,
                id=key,
                parent=parent,
                step=int(metadata.get("step", -1)),
                source=str(metadata.get("source", "")),
                time_ns=_time_ns(state["ts"]),
                versions=state["channel_versions"],
                seen=state["versions_seen"],
                values={
                    name: value if name == TASKS or name.startswith((BRANCH_TO, JOIN)) else None
                    for name, value in state["channel_values"].items()
                },
                metadata=metadata,
                writes=writes,
            )
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
            raise self._damaged(key, thread) from None

    def _damaged(self, checkpoint: object, thread: str) -> SourceError:
        return SourceError(
            f"{self.path} is damaged: checkpoint {checkpoint} of thread {thread} is not as LangGraph writes it"
        )

    def _load(self, kind: str | None, value: bytes | None) -> Any:
        if kind is not None and kind not in READABLE:
            form = "encrypted" if "+" in str(kind) else f"kept as {kind}"
            raise SourceError(
                f"the checkpoints in {self.path} are {form}: only LangGraph's own format can be read here"
            )
        try:
            return plain_value(kind or "null", value or b"")
        except (ValueError, TypeError, RecursionError) as error:
            raise SourceError(f"a checkpoint in {self.path} cannot be read: {error}") from None

    def _tables(self) -> set[str]:
        return {name for (name,) in self._rows(_ORDINARY_TABLES)}

    def _rows(self, statement: str, *values: str) -> Iterator[Any]:
        try:
            # No `yield from`: a generator that is left early would close its cursor after the connection.
            for row in self._connection.execute(statement, values):  # noqa: UP028
                yield row
        except sqlite3.Error as error:
            raise SourceError(f"cannot read {self.path}: {error}") from None


def holds_checkpoints(path: Path) -> bool:
    """Whether the file at a path is a `SqliteSaver`'s."""
    if not _is_sqlite(path):
        return False
    try:
        connection = _connect(path)
    except SourceError:
        return False
    try:
        names = {name for (name,) in connection.execute(_ORDINARY_TABLES)}
    except sqlite3.Error:
        return False
    finally:
        connection.close()
    return names >= _TABLES


def _is_sqlite(path: Path) -> bool:
    try:
        return header(path) == SQLITE_MAGIC
    except OSError:
        return False


def _connect(path: Path) -> sqlite3.Connection:
    try:
        uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
    except sqlite3.Error as error:
        raise SourceError(f"cannot open {path}: {error}") from None
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    return connection


def _check(where: tuple[str, str, str, str | None], state: Any, metadata: Any) -> None:
    """Raise TypeError where a column or a part of a checkpoint has another type than LangGraph gives it."""
    *texts, parent = where
    mappings = (metadata, state["channel_versions"], state["channel_values"], *state["versions_seen"].values())
    if not (
        all(isinstance(one, str) for one in (*texts, parent or ""))
        and all(isinstance(one, Mapping) for one in mappings)
    ):
        raise TypeError


def _time_ns(text: str) -> int:
    instant = datetime.fromisoformat(text)
    return int(instant.timestamp()) * 10**9 + instant.microsecond * 1000


def _made(checkpoint_id: str) -> int:
    """When a checkpoint was made, by its id: a UUID of version 6."""
    try:
        bits = int(checkpoint_id.replace("-", ""), 16) >> 64
    except (ValueError, TypeError, AttributeError):
        return 0
    return ((bits >> 16 << 12 | bits & 0xFFF) - _UUID_EPOCH) * 100
