"""Answers of judges in an SQLite file, by a hash of all that was asked: the same question is paid once."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import orjson

from otel_mas.errors.log import logger

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, answer TEXT NOT NULL, time_unix_nano INTEGER NOT NULL
) STRICT
"""
_BUSY_TIMEOUT_S = 10.0


class JudgeCache:
    """Answers by key. It holds no questions, only their hashes; the answers quote what the judge quoted.

    A file that cannot be used is warned about once, and every question is asked then.

    Args:
        path: the file, which is made; by default `otel-mas/judge.db` in the user's cache directory.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = default_path() if path is None else Path(path).expanduser()
        self._broken = False

    def get(self, key: str) -> str | None:
        """The answer to a question; None where it was not asked yet."""
        with self._usable() as connection:
            if connection is not None:
                row = connection.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
                return None if row is None else str(row[0])
        return None

    def put(self, key: str, model: str, answer: str) -> None:
        """Keep an answer."""
        with self._usable() as connection:
            if connection is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (key, model, answer, time.time_ns())
                )

    @contextmanager
    def _usable(self) -> Iterator[sqlite3.Connection | None]:
        """A connection, committed at the end; None where the file cannot be used."""
        try:
            if self._broken:
                yield None
                return
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_S)) as connection, connection:
                connection.execute(_TABLE)
                yield connection
        except (OSError, sqlite3.Error) as error:
            self._broken = True
            logger.warning(
                "otel-mas: the judge's cache %s cannot be used (%s): each question is asked", self.path, error
            )
            yield None


def key_of(*parts: object) -> str:
    """A hash of a question: of each part by itself, so that no two questions are written alike."""
    return sha256(orjson.dumps([sha256(orjson.dumps(part, default=str)).hexdigest() for part in parts])).hexdigest()


def default_path() -> Path:
    """The file in the user's cache directory, by the XDG base directories."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(cache) if os.path.isabs(cache) else Path.home() / ".cache"
    return folder / "otel-mas" / "judge.db"


__all__ = ["JudgeCache", "default_path", "key_of"]
