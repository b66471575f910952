"""Opening the store's file; errors of SQLite and the operating system as one clear line."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from otel_mas.errors import (
    NotAStore,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
    UnsupportedQuery,
)
from otel_mas.errors.printable import shortened
from otel_mas.store.files import (
    SQLITE_MAGIC,
    Interruption,
    StoreConnection,
    changing,
    header,
    identity,
    make_private,
    opening,
    private_folder,
    remove_stale_journals,
    store_descriptors,
)
from otel_mas.store.liveness import refuse_while_recording
from otel_mas.store.migrations import APPLICATION_ID, VERSION, migrate

BUSY_TIMEOUT_S = 5.0
PAGE_SIZE = 8192
_CACHE_KIB = 16 * 1024  # the index of a large trace, whose pages every batch touches
_STATEMENTS = 256  # a few for each set of columns that spans come with; to compile one takes 20 to 400 µs
_MAX_SHOWN = 200
_ALMOST_FULL_BYTES = 128 * 1024
JOURNAL_LIMIT = 32 * 2**20
"""Size to which SQLite cuts the file of the write-ahead log when it begins the log anew."""

_last_opened: Path | None = None

T = TypeVar("T")


def open_for_writing(
    path: Path,
    timeout_s: float = BUSY_TIMEOUT_S,
    digest_key: bytes | None = None,
    interruption: Interruption | None = None,
) -> StoreConnection:
    """A connection to the store, created and migrated where needed: folder 0700, file 0600, WAL, NORMAL.

    Args:
        digest_key: of a store that is created here; else a random one.
        interruption: ends what the connection does, the opening included.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreReplaced, StoreError: with what to do
            next.
    """
    path = path.expanduser().absolute()
    refuse_special(path)
    _create(path)
    with opening, translated_errors(path):
        _refuse_foreign_bytes(path)
        _remember(path)
        opened, before = identity(path), store_descriptors(path)
        connection = sqlite3.connect(
            path,
            timeout=timeout_s,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
            factory=StoreConnection,
        )
        if interruption is not None:
            connection.interruption = interruption
        try:
            _refuse_foreign(connection, path, empty_is_fine=True)
            make_private(path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm"))
            _configure(connection, timeout_s)
            migrate(connection, digest_key)
            _check_writable(connection)
            connection.watch(path, opened, before)
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path, timeout_s: float = BUSY_TIMEOUT_S, *, in_place: bool = True) -> sqlite3.Connection:
    """A read-only connection (`mode=ro`) that sees what other processes commit.

    A store of an older layout is migrated first. One that cannot be written, or that a process records into, which is
    of an older version and would be refused its own store, is read from a migrated temporary copy: it sees no commits.

    Args:
        in_place: whether the file may be migrated; else an older layout is always read from a copy.

    Raises:
        NotAStore, StoreTooNew, StoreReadOnly, StoreLocked, StoreCorrupt, StoreError: with what to do next.
    """
    path = path.expanduser()
    refuse_special(path)
    if not path.exists():
        raise NotAStore(f"there is no store at {path}: record one with `otel-mas run --store {path} -- python app.py`")
    with translated_errors(path):
        _refuse_foreign_bytes(path)
        _remember(path)
        connection = _connect_ro(path, timeout_s)
        try:
            if _refuse_foreign(connection, path, empty_is_fine=False) == VERSION:
                return connection
            migrated = in_place and _migrated(connection, path, timeout_s)
            if not migrated:
                return _migrated_copy(connection)
        except BaseException:
            connection.close()
            raise
        connection.close()
        return _connect_ro(path, timeout_s)


def is_copy(connection: sqlite3.Connection) -> bool:
    """Whether a connection reads a temporary copy of a store, which has no name."""
    return not connection.execute("PRAGMA database_list").fetchone()[2]


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Raise errors of SQLite and the operating system about `path` as errors of the store."""
    try:
        yield
    except sqlite3.Error as error:
        raise _translated(error, path) from error
    except UnicodeDecodeError as error:  # of text that SQLite hands out, or of its own message about such text
        raise damaged(path, "text that is not UTF-8") from error
    except ValueError as error:
        if "\0" not in str(path):  # of a value, which the writer stores in another form
            raise
        raise StoreError(f"cannot open the store at {shortened(str(path), _MAX_SHOWN)!r}: {error}") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise StoreError(f"the path of the store is too long: {shortened(str(path), _MAX_SHOWN)}") from error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _no_space(path) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise _read_only(path) from error
        raise StoreError(f"cannot open the store at {path}: {error.strerror or error}") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Translate errors as `translated_errors`, where a value that was never written is damage of the file as well."""
    with translated_errors(path):
        try:
            yield
        except UnicodeEncodeError as error:  # the file is decoded: it is the caller's text that has no UTF-8
            raise UnsupportedQuery(f"no text in a store is {error.object!r}: it cannot be written as UTF-8") from error
        except (ValueError, TypeError, LookupError, OverflowError, AttributeError) as error:
            raise damaged(path, f"{type(error).__name__}: {error}") from error


def damaged(path: Path, what: str) -> StoreCorrupt:
    """The error for a store that is damaged."""
    return StoreCorrupt(
        f"the store at {path} is damaged ({' '.join(what.split())}): `otel-mas store check` lists what, "
        "`otel-mas store repair` saves what can be read into a new file"
    )


def last_opened() -> Path | None:
    """The store that this process opened last, for advice on an error of it."""
    return _last_opened


def _translated(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(
            f"the store at {path} is locked by another process: wait for it to finish, or record into another "
            "file with --store"
        )
    if code == sqlite3.SQLITE_INTERRUPT:
        return StoreLocked(f"a transaction on the store at {path} was interrupted: it can be done again")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH):
        return _read_only(path)
    if code == sqlite3.SQLITE_CANTOPEN:
        return _read_only(path) if path.exists() else StoreError(f"cannot open the store at {path}: {error}")
    if code == sqlite3.SQLITE_NOTADB:
        return NotAStore(f"{path} is not an otel-mas store (not an SQLite file): name another file with --store")
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
        return _no_space(path)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FORMAT) or _damaged(error):
        return damaged(path, str(error))
    return StoreError(f"the store at {path} failed: {error}")


def _remember(path: Path) -> None:
    global _last_opened
    _last_opened = path


def _no_space(path: Path) -> StoreFull:
    return StoreFull(
        f"no space left on the disk for the store at {path}: free some, or record elsewhere with --store or "
        "OTEL_MAS_STORE"
    )


def _is_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _ALMOST_FULL_BYTES
    except OSError:
        return False


def _damaged(error: sqlite3.Error) -> bool:
    # By its header the file is a store, so a table or a column that is missing has been lost.
    return str(error).startswith(("no such table", "no such column", "Could not decode to UTF-8"))


def _read_only(path: Path) -> StoreReadOnly:
    return StoreReadOnly(
        f"the store at {path} cannot be written (read-only file or folder): change its permissions, copy it "
        "elsewhere, or name another file with --store"
    )


def refuse_special(path: Path) -> None:
    """Raise StoreError for a folder, pipe, socket or device: to open one may wait for ever."""
    with translated_errors(path):
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            return
    if stat.S_ISDIR(mode):
        raise StoreError(f"{path} is a folder: name a file in it, such as {path / 'runs.db'}")
    if not stat.S_ISREG(mode):
        raise StoreError(f"{path} is a pipe, a socket or a device, and no file: name another one with --store")


def _create(path: Path) -> None:
    """An empty file that only its owner can read; SQLite gives its -wal and -shm the same mode."""
    with translated_errors(path):
        if not path.parent.is_dir():
            private_folder(path.parent)
        with changing(path.parent):
            remove_stale_journals(path)
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            except FileExistsError:
                pass


def _refuse_foreign_bytes(path: Path) -> None:
    """Refuse a foreign file before SQLite sees it, which would read a short one as an empty database."""
    head = header(path)
    if head and head != SQLITE_MAGIC:
        raise NotAStore(f"{path} is not an otel-mas store (not an SQLite file): name another file with --store")


def _refuse_foreign(connection: sqlite3.Connection, path: Path, *, empty_is_fine: bool) -> int:
    """Raise an error for what is no store of a known layout; returns the layout."""
    application, version, empty = _retry(lambda: _identification(connection), BUSY_TIMEOUT_S)
    if application != APPLICATION_ID:
        if application or version or not empty:
            raise NotAStore(f"{path} is another program's SQLite file: name another file with --store")
        if not empty_is_fine:
            raise NotAStore(f"the store at {path} is empty: nothing has been recorded into it yet")
    if version > VERSION:
        raise StoreTooNew(
            f"the store at {path} was written by a newer otel-mas (layout {version}, this one knows {VERSION}): "
            "upgrade otel-mas"
        )
    return version


def _migrated(connection: sqlite3.Connection, path: Path, timeout_s: float) -> bool:
    """Migrate the store that a connection reads; False where that cannot be, or may not be."""
    try:
        refuse_while_recording(connection, path, time.time_ns())
        with translated_errors(path), closing(_connect_uri(f"{_address(path)}?mode=rw", timeout_s)) as writing:
            migrate(writing)
    except (StoreReadOnly, StoreLocked, StoreFull):
        return False
    return True


def _migrated_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A migrated copy of the store that a connection reads; closes that one."""
    copy = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # a file that SQLite deletes by itself
    try:
        with closing(connection):
            connection.backup(copy)
        migrate(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _identification(connection: sqlite3.Connection) -> tuple[int, int, bool]:
    """Application id, layout, and whether there is no table yet, in one transaction: the store may just be created."""
    connection.execute("BEGIN")
    try:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    finally:
        connection.execute("ROLLBACK")
    return application, version, not tables


def _configure(connection: sqlite3.Connection, timeout_s: float) -> None:
    # Both take effect only in an empty file, before the journal mode writes its first page.
    connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    # Changing the journal mode needs the file for itself and does not wait: two first openers would collide.
    _retry(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone(), timeout_s)
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT}")


def _check_writable(connection: sqlite3.Connection) -> None:
    """Fail at start-up, not later: begin a transaction that changes nothing."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ROLLBACK")


def _retry(action: Callable[[], T], timeout_s: float) -> T:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(0.01)


def _connect_ro(path: Path, timeout_s: float) -> sqlite3.Connection:
    """Open with `mode=ro`; as immutable where SQLite cannot make shared memory and there is no write-ahead log."""
    connection = _connect_uri(f"{_address(path)}?mode=ro", timeout_s)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
        return connection
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
    wal = path.with_name(path.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        raise StoreReadOnly(
            f"the store at {path} has commits in {wal.name} that cannot be read from a read-only folder: copy both "
            "files to a folder that can be written"
        )
    return _connect_uri(f"{_address(path)}?mode=ro&immutable=1", timeout_s)


def _address(path: Path) -> str:
    return f"file:{quote(os.fsencode(path.absolute()))}"


def _connect_uri(uri: str, timeout_s: float) -> sqlite3.Connection:
    return sqlite3.connect(uri, timeout=timeout_s, uri=True, isolation_level=None, check_same_thread=False)
