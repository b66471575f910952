"""Many traces read in turn: processes and scopes are decoded once for all, and no trace is looked for by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from otel_mas.model import Trace
from otel_mas.store.spans import Emitters, read_spans
from otel_mas.store.statements import select
from otel_mas.store.table import LoadBody

_MOST_TRACES: Final = 200
_MOST_SPANS: Final = 20_000
"""Traces and spans that are held at a time."""


def read_some(
    connection: sqlite3.Connection, trace_ids: Sequence[str], load: LoadBody, fresh_ns: int
) -> Iterator[Trace | None]:
    """The first of these traces, one at least; None for one that is gone. Their summaries say what is missing of them.

    Args:
        load: Decodes the body with a given key.
        fresh_ns: A process whose last heartbeat is older is gone.
    """
    wanted = list(map(bytes.fromhex, islice(trace_ids, _MOST_TRACES)))
    keys = dict(select(connection, "SELECT trace_id, id FROM traces", ("trace_id",), wanted))
    emitters = Emitters(connection)
    spans = 0
    for trace_id, wanted_id in zip(trace_ids, wanted, strict=False):
        key = keys.get(wanted_id)
        table = None if key is None else read_spans(connection, key, trace_id, load, fresh_ns, emitters)
        if key is None or not table:
            yield None
            continue
        yield Trace(trace_id, table)
        spans += len(table)
        if spans > _MOST_SPANS:
            return


__all__ = ["read_some"]
