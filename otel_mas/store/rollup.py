"""The rows of traces: a trace gets a key when a batch begins, and the batch's sums at its end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from operator import attrgetter
from typing import Any

from otel_mas.model.rollup import NEVER, Rollup, RollupKeys, span_field_keys
from otel_mas.semconv import attributes as names
from otel_mas.store.columns import POSITION
from otel_mas.store.rows import Batch, OpenRow, SpanRow
from otel_mas.store.statements import insert_mappings, insert_values, load, select

# Attributes of a rollup that are no columns of `traces` by the same name. A column that is not set gets its default.
_NO_COLUMNS = frozenset(
    {"trace_id", "emitter", "emitters", "agents", "conversations", "conversation_rank", "root_rank", "root_start_ns"}
    | {"start_ns", "values"}
)


class TraceRollup(Rollup):
    """The sums, the extremes and the root of rows of one trace; emitters are keys of resources."""

    keys = RollupKeys(
        record_kind=POSITION[names.MAS_RECORD_KIND],
        operation=POSITION[names.GEN_AI_OPERATION_NAME],
        agent=POSITION[names.GEN_AI_AGENT_NAME],
        conversation=POSITION[names.GEN_AI_CONVERSATION_ID],
        run_outcome=POSITION[names.MAS_RUN_OUTCOME],
        input_tokens=POSITION[names.GEN_AI_USAGE_INPUT_TOKENS],
        output_tokens=POSITION[names.GEN_AI_USAGE_OUTPUT_TOKENS],
        cost_usd=POSITION[names.MAS_COST_USD],
    )
    span_fields = span_field_keys(POSITION.__getitem__)
    emitter_of = attrgetter("resource")

    def __init__(self, trace_id: bytes, incomplete: str | None = None) -> None:
        self.trace_id = trace_id
        self.incomplete = incomplete

    def row(
        self, key: int, present: int, service_of: Callable[[int | None], str | None], now_ns: int
    ) -> dict[str, object]:
        """The row of a trace that has nothing else; `sql/rollup.sql` adds it to one that exists."""
        service = service_of(self.emitter)
        return {
            "id": key,
            "trace_id": bytearray(self.trace_id),
            "root_rank": self.root_rank,
            "root_start_ns": self.root_start_ns,
            "start_ns": now_ns if self.start_ns == NEVER else self.start_ns,
            "present": present,
            **{name: value for name, value in vars(self).items() if name not in _NO_COLUMNS and value is not None},
            **({} if service is None else {"service": service}),
        }


def roll_up(batch: Batch, counted: Iterable[SpanRow], trace_ids: Iterable[bytes]) -> Iterator[TraceRollup]:
    """A rollup for each of the batch's traces, one after the other; of its spans only `counted` are counted."""
    of_trace: dict[bytes, list[SpanRow | OpenRow]] = {trace_id: [] for trace_id in trace_ids}
    for ended in counted:
        of_trace[ended.trace_id].append(ended)
    for opened in batch.opened:
        of_trace[opened.trace_id].append(opened)
    for trace_id, rows in of_trace.items():
        rollup = TraceRollup(trace_id, batch.incomplete.get(trace_id))
        for row in rows:
            if isinstance(row, SpanRow):
                rollup.add_ended(row)
            else:
                rollup.add_open(row)
        yield rollup


def trace_ids(batch: Batch) -> Sequence[bytes]:
    """The traces that a batch has rows of, in the order of these rows."""
    rows: tuple[Any, ...] = (*batch.spans, *batch.opened, *batch.message_refs, *batch.contents)
    dropped = [row.trace_id for row in batch.drops]
    return list(dict.fromkeys([*[row.trace_id for row in rows], *batch.incomplete, *dropped]))


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
    rollups: Iterable[TraceRollup],
    keys: Mapping[bytes, int],
    present_columns: Mapping[int, int],
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

    def new_rows() -> Iterator[dict[str, object]]:
        for rollup in rollups:
            key = keys[rollup.trace_id]
            for agent in rollup.agents:
                facets.extend((key, "agent", agent))
            for field, value in rollup.values:
                facets.extend((key, field, value))
            for conversation in rollup.conversations:
                facets.extend((key, "conversation", conversation))
            for service in map(service_of, rollup.emitters):
                if service:
                    facets.extend((key, "service", service))
            row = rollup.row(key, present_columns.get(key, 0), service_of, now_ns)
            if key < new_from:
                known.append(row)
            else:
                yield row

    insert_mappings(connection, "INSERT OR FAIL INTO traces", new_rows())
    insert_mappings(connection, "INSERT INTO traces", known, load("rollup"))
    insert_values(connection, "INSERT OR IGNORE INTO facets (trace, facet, value)", 3, facets)
