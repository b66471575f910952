"""Some tables of an SQLite database as SQL text, without what they refer to in others."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

_REFERENCE = re.compile(r",\s*CONSTRAINT \S+ FOREIGN KEY\([^)]*\) REFERENCES [^)]*\)( ON DELETE (CASCADE|SET NULL))?")


def dump(database: str, tables: Sequence[str], to: Path) -> None:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        lines = []
        for table in tables:
            (statement,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
            lines.append(_REFERENCE.sub("", statement) + ";")
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            quoted = ", ".join(f"quote({name})" for name in columns)
            named = ", ".join(columns)
            rows = connection.execute(f"SELECT {quoted} FROM {table}")
            lines += [f"INSERT INTO {table} ({named}) VALUES ({', '.join(row)});" for row in rows]
    text = "\n".join(lines) + "\n"
    for folder in (Path(__file__).parents[5], Path.cwd()):  # of the machine that made it
        text = text.replace(str(folder), "…")
    to.write_text(text)
