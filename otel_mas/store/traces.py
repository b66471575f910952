"""The rows of traces: each is found or given a key when a batch begins, and says at its end what the batch added."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import count

from otel_mas.store.bulk import insert_mappings, insert_values, select
from otel_mas.store.rollup import Rollup
from otel_mas.store.statements import load


def trace_keys(connection: sqlite3.Connection, ids: Collection[bytes]) -> tuple[dict[bytes, int], int]:
    """The key of each trace, and the key from which on they are new: the rows of those are made by `sum_up`."""
    wanted = list(map(bytearray, ids))
    keys: dict[bytes, int] = dict(select(connection, "SELECT trace_id, id FROM traces", ("trace_id",), wanted))
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'traces'").fetchone()
    first = last[0] + 1 if last else 1
    if len(keys) < len(ids):
        keys.update(zip([trace_id for trace_id in ids if trace_id not in keys], count(first)))
    return keys, first


def sum_up(
    connection: sqlite3.Connection,
    rollups: Iterable[Rollup],
    keys: Mapping[bytes, int],
    united: Mapping[int, int],
    service_of: Callable[[int | None], str | None],
    now_ns: int,
    new_from: int,
) -> None:
    """Add rollups to the rows of their traces, which are made where they are missing.

    Args:
        rollups: one of each trace. A generator does well: nothing of them is kept, and so nothing is collected.
        united: for each trace, which columns any of the batch's spans has.
        service_of: the service of a resource.
        new_from: keys from here on have no row yet.
    """
    facets: list[object] = []
    known: list[dict[str, object]] = []

    def rows() -> Iterator[dict[str, object]]:
        for rollup in rollups:
            key = keys[rollup.trace_id]
            for agent in rollup.agents:
                facets.extend((key, "agent", agent))
            for conversation in rollup.conversations:
                facets.extend((key, "conversation", conversation))
            for service in map(service_of, rollup.resources):
                if service:
                    facets.extend((key, "service", service))
            row = rollup.row(key, united.get(key, 0), service_of, now_ns)
            if key < new_from:
                known.append(row)
            else:
                yield row

    insert_mappings(connection, "INSERT OR FAIL INTO traces", rows())
    insert_mappings(connection, "INSERT INTO traces", known, load("rollup"))
    insert_values(connection, "INSERT OR IGNORE INTO facets (trace, facet, value)", 3, facets)
