"""The connection of one who keeps a store open for long: always to the same store, or none."""

from __future__ import annotations

from pathlib import Path

from otel_mas.store.connection import open_for_writing
from otel_mas.store.files import StoreConnection, replaced


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
        self._replaced = False

    def verify(self) -> None:
        """Raise `StoreReplaced`, from now on, where the files at the path are not those that are open."""
        connection = self._connection
        if connection is not None and not connection.is_current():
            self._connection = None
            self._replaced = True
            connection.give_up()
        if self._replaced:
            raise replaced(self.path)

    def connection(self) -> StoreConnection:
        """The connection, verified. Raises `StoreReplaced` and the errors of opening."""
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
        if connection is not None:
            connection.close()

    def _open_again(self) -> StoreConnection:
        if self.path.exists():
            connection = open_for_writing(self.path, self._timeout_s)
            if _store_id(connection) == self._id:
                return connection
            connection.close()
        self._replaced = True
        raise replaced(self.path)


def _store_id(connection: StoreConnection) -> str:
    (found,) = connection.execute("SELECT value FROM store WHERE name = 'id'").fetchone()
    return str(found)
