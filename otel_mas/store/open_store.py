"""The store kept open for writing: the same file for as long as a process records into it."""

from __future__ import annotations

import math
import time
from pathlib import Path

from otel_mas.errors import StoreError
from otel_mas.store.connection import open_for_writing
from otel_mas.store.files import Interruption, StoreConnection, closed, replaced


class OpenStore:
    """A store kept open for writing, and opened again after `release`: always the same store, or none.

    Args:
        autocheckpoint: whether a commit moves a long write-ahead log into the file, as SQLite does by itself.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError
    """

    def __init__(
        self, path: Path, timeout_s: float, digest_key: bytes | None = None, *, autocheckpoint: bool = True
    ) -> None:
        self.path = path.expanduser().absolute()  # the process may change its directory
        self._timeout_s = timeout_s
        self._autocheckpoint = autocheckpoint
        self._interruption = Interruption()
        self._connection: StoreConnection | None = self._open(digest_key)
        self._id = _store_id(self._connection)
        self._failure: StoreError | None = None

    def verify(self) -> None:
        """Raise an error, also at each later call, once the connection cannot be used any more.

        Raises:
            StoreClosed: the app has closed its descriptors.
            StoreReplaced: the files at the path are not those that are open.
        """
        connection = self._connection
        if connection is not None and not connection.is_intact():
            self._connection, self._failure = None, closed(self.path)
            connection.abandon()
        elif connection is not None and not connection.is_current():
            self._connection, self._failure = None, replaced(self.path)
            connection.give_up()
        if self._failure is not None:
            raise self._failure

    def connection(self) -> StoreConnection:
        """The connection, verified. Raises what `verify` does, and the errors of opening."""
        self.verify()
        if self._connection is None:
            self._connection = self._open_again()
        return self._connection

    def interrupt(self, after_s: float = 0.0) -> None:
        """End the transaction, or the opening, that another thread is in, with an error.

        Args:
            after_s: seconds that it has until then. Without any, the statement that is running ends, too.
        """
        self._interruption.at = time.monotonic() + after_s
        connection = self._connection
        # Not enough by itself: SQLite forgets it between two statements, and a thread that waits for the GIL is there.
        if connection is not None and not after_s:
            connection.interrupt()

    def release(self) -> None:
        """Close the connection; the next use opens it again."""
        self._interruption.at = math.inf
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.is_intact():
            connection.close()
        else:
            connection.abandon()
            self._failure = closed(self.path)

    def _open(self, digest_key: bytes | None = None) -> StoreConnection:
        connection = open_for_writing(self.path, self._timeout_s, digest_key, self._interruption)
        connection.take_turns(self._timeout_s)
        if not self._autocheckpoint:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection

    def _open_again(self) -> StoreConnection:
        if self.path.exists():
            connection = self._open()
            try:
                if _store_id(connection) == self._id:
                    return connection
            except BaseException:
                connection.close()
                raise
            connection.close()
        self._failure = replaced(self.path)
        raise self._failure


def _store_id(connection: StoreConnection) -> str:
    (found,) = connection.execute("SELECT value FROM store WHERE name = 'id'").fetchone()
    return str(found)
