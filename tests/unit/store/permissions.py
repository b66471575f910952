"""Code that runs as a user whom permissions bind, which they do not bind root."""

from __future__ import annotations

import os
import subprocess
import sys


def as_nobody(code: str, *arguments: object) -> str:
    """What code prints, which has the names of the store at hand."""
    root = os.geteuid() == 0
    script = (
        "import os, sys; sys.path[:0] = {path!r}\n"
        "from otel_mas.store import StoreReader, StoreWriter\n"
        "from otel_mas.otlp.decode import decode_body; decode_body(b'')\n"
        "from otel_mas.errors import StoreError\n"
        "import otel_mas.store.reader, otel_mas.store.writer\n"
        "from otel_mas.model import Query\n"
        "from otel_mas.store.statements import load; load('summaries')\n"
        "from otel_mas.store.upkeep.schema import tables; tables()\n"
        "{drop}\n{code}"
    ).format(path=sys.path, drop="os.setgroups([]); os.setgid(65534); os.setuid(65534)" if root else "", code=code)
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )
    assert not done.stderr, done.stderr
    return done.stdout.strip()


__all__ = ["as_nobody"]
