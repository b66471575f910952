"""Files with what was recorded: all of one or nothing, and only their owner can read them."""

from __future__ import annotations

import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def new_file(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """A new file of mode 0600, gzipped if its name ends in .gz.

    An older file at the path, or at the end of a link there, stays until the new one is complete.

    Raises:
        OSError: It cannot be written.
    """
    target = Path(os.path.realpath(path))
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".otel-mas-")
    try:
        with os.fdopen(handle, "wb") as file:
            if os.fspath(path).endswith(".gz"):
                with gzip.GzipFile(filename="", mode="wb", fileobj=file) as packed:
                    yield packed  # type: ignore[misc]
            else:
                yield file
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


__all__ = ["new_file"]
