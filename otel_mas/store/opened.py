"""The connection of one who keeps a store open for long: always to the same store, or none."""

from __future__ import annotations

from pathlib import Path

from otel_mas.errors import StoreError
from otel_mas.store.connection import open_for_writing
from otel_mas.store.files import StoreConnection, closed, replaced


class OpenStore:
    """A store that is open for writing, and is opened again after `release`.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError
    """

    def __init__(self, path: Path, timeout_s: float, digest_key: bytes | None = None) -> None:
        self.path = path.expanduser().absolute()  # the process may change its directory
        self._timeout_s = timeout_s
        self._connection: StoreConnection | None = open_for_writing(self.path, timeout_s, digest_key)
        self._id = _store_id(self._connection)
        self._failure: StoreError | None = None

    def verify(self) -> None:
        """Raise an error, from now on, where the connection cannot be used any more.

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

    def interrupt(self) -> None:
        """Have a statement that another thread is in end with an error."""
        connection = self._connection
        if connection is not None:
            connection.interrupt()

    def release(self) -> None:
        """Close the connection; the next use opens it again."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.is_intact():
            connection.close()
        else:
            connection.abandon()
            self._failure = closed(self.path)

    def _open_again(self) -> StoreConnection:
        if self.path.exists():
            connection = open_for_writing(self.path, self._timeout_s)
            if _store_id(connection) == self._id:
                return connection
            connection.close()
        self._failure = replaced(self.path)
        raise self._failure


def _store_id(connection: StoreConnection) -> str:
    (found,) = connection.execute("SELECT value FROM store WHERE name = 'id'").fetchone()
    return str(found)
