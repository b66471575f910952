"""The key of a store's message digests, read at once or not at all, since the app's own threads must not wait."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from otel_mas.errors import StoreLocked

_WAIT_S = 0.1  # once in a process, and only while the store is being created


def stored_key(path: str | Path) -> bytes | None:
    """The digest key of the store at `path`; None where there is no store yet.

    Raises:
        StoreLocked: it cannot be read that quickly.
    """
    path = Path(path).expanduser()
    try:
        if not path.stat().st_size:
            return None
        connection = sqlite3.connect(f"file:{quote(os.fsencode(path.absolute()))}?mode=ro", timeout=_WAIT_S, uri=True)
        try:
            row = connection.execute("SELECT value FROM store WHERE name = 'digest_key'").fetchone()
        finally:
            connection.close()
    except (FileNotFoundError, ValueError):  # ValueError: a NUL in the path, where no store can be
        return None
    except sqlite3.Error as error:
        if str(error).startswith("no such table"):  # it is being created
            return None
        raise StoreLocked(f"the digest key of the store at {path} cannot be read: {error}") from error
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise StoreLocked(f"the store at {path} cannot be read: {error.strerror or error}") from error
    return row[0] if row else None


__all__ = ["stored_key"]
