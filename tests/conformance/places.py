"""Everything that the suite reads from: how spans get there, and how they are read.

A new source is a new entry of `PLACES`, and its losses in `losses.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from click.testing import CliRunner
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

from otel_mas.cli import cli
from otel_mas.otlp.decode import decode_body, decode_resource, decode_scope
from otel_mas.semconv import attributes as names
from otel_mas.sources import Source, open_source
from otel_mas.store import StoreWriter
from otel_mas.store.columns import column_values
from otel_mas.store.rows import Batch, SpanRow
from tests.backends.jaeger import Jaeger, Storage


class Ground(Protocol):
    """Folders and servers that a place may be set up with."""

    def folder(self, name: str) -> Path: ...

    def jaeger(self, storage: Storage, exports: Sequence[TracesData]) -> Jaeger:
        """A Jaeger with this storage that holds these spans, and nothing else."""
        ...

    def clickhouse(self, exports: Sequence[TracesData]) -> str:
        """The address of a ClickHouse that a Collector has filled with these spans."""
        ...


Setup = Callable[[Ground, Sequence[TracesData]], Source]


@dataclass(frozen=True)
class Place:
    """A source that the suite holds to its word.

    Args:
        setup: puts the spans where the source reads them, one export after the other, and opens it.
        losing: the part of the table of losses that speaks of it.
        remote: it keeps ended spans only, and nothing beside them.
        id_prefixes: the unique beginning of a trace id is enough.
    """

    setup: Setup
    losing: str
    remote: bool = True
    id_prefixes: bool = True


def _store(ground: Ground, exports: Sequence[TracesData]) -> Source:
    path = ground.folder("store") / "runs.db"
    for number, export in enumerate(exports):
        write(path, export, b"process-%d" % number)
    return open_source(path)


def _jaeger(scheme: str, storage: Storage) -> Setup:
    def setup(ground: Ground, exports: Sequence[TracesData]) -> Source:
        server = ground.jaeger(storage, exports)
        return open_source(f"{scheme}://{server.http if scheme == 'jaeger+http' else server.grpc}")

    return setup


def _clickhouse(ground: Ground, exports: Sequence[TracesData]) -> Source:
    return open_source(f"clickhouse://{ground.clickhouse(exports)}")


def _archive(ground: Ground, exports: Sequence[TracesData]) -> Source:
    """A file that `otel-mas export` wrote from a store, with the content that is on spans."""
    store = _store(ground, exports)
    store.close()
    path = ground.folder("archive") / "archive.jsonl.gz"
    otel_mas("export", "--all", "--content", "--store", store.location, "-o", str(path))
    return open_source(path)


def _protobuf(ground: Ground, exports: Sequence[TracesData]) -> Source:
    """A file as a Collector's file exporter writes it: each request after its length."""
    path = ground.folder("protobuf") / "traces.pb"
    encoded = [export.SerializeToString() for export in exports]
    path.write_bytes(b"".join(len(one).to_bytes(4, "big") + one for one in encoded))
    return open_source(f"otlp+file://{path}")


def _imported(ground: Ground, exports: Sequence[TracesData]) -> Source:
    """A store that others' files were put into, twice."""
    protobuf, path = _protobuf(ground, exports), ground.folder("imported") / "runs.db"
    otel_mas("import", protobuf.location, protobuf.location, "--store", str(path))
    return open_source(path)


def _exported(form: str, name: str) -> Setup:
    """A file of another form with content, exported from a file of OTLP: `(export format, file name)`."""

    def setup(ground: Ground, exports: Sequence[TracesData]) -> Source:
        protobuf, path = _protobuf(ground, exports), ground.folder("exported") / name
        source = f"otlp+file://{protobuf.location}"
        otel_mas("export", "--all", "--content", "--format", form, "--from", source, "-o", str(path))
        return open_source(path)

    return setup


PLACES: dict[str, Place] = {
    "store": Place(_store, "store", remote=False),
    "OTLP file, JSON lines": Place(_archive, "archive of a store"),
    "OTLP file, protobuf": Place(_protobuf, "OTLP file"),
    "trace records, JSON lines": Place(_exported("records", "records.jsonl.gz"), "trace records"),
    "trace records, MessagePack": Place(_exported("records-msgpack", "records.msgpack"), "trace records"),
    "Jaeger's JSON": Place(_exported("jaeger", "jaeger.json"), "Jaeger's JSON"),
    "store, imported": Place(_imported, "store, imported", remote=False),
    "jaeger+http, memory": Place(_jaeger("jaeger+http", "memory"), "jaeger memory", id_prefixes=False),
    "jaeger+grpc, memory": Place(_jaeger("jaeger+grpc", "memory"), "jaeger memory", id_prefixes=False),
    "jaeger+http, badger": Place(_jaeger("jaeger+http", "badger"), "jaeger badger", id_prefixes=False),
    "jaeger+grpc, badger": Place(_jaeger("jaeger+grpc", "badger"), "jaeger badger", id_prefixes=False),
    "clickhouse": Place(_clickhouse, "clickhouse", id_prefixes=False),
}


def otel_mas(*words: str) -> None:
    """Run a command of ours, which must succeed."""
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output


def write(path: Path, export: TracesData, instance: bytes) -> None:
    """Write what one process exported into a store, as that process would have."""
    attributes = [pair for process in export.resource_spans for pair in process.resource.attributes]
    runs = {pair.value.string_value for pair in attributes if pair.key == names.MAS_RUN_ID}
    writer = StoreWriter(
        path, instance_id=instance, run_id=next(iter(runs), None), service="", max_bytes=2**40, max_age_ns=0
    )
    try:
        writer.write(Batch(spans=list(_rows(writer, export))))
        writer.finish((), 0)
    finally:
        writer.close()


def _rows(writer: StoreWriter, export: TracesData) -> Iterable[SpanRow]:
    for process in export.resource_spans:
        body = process.resource.SerializeToString()
        resource = writer.resource(decode_resource(body).attributes, process.schema_url, body)
        for of_scope in process.scope_spans:
            scope = decode_scope(of_scope.scope.SerializeToString())
            key = writer.scope(scope.name, scope.version, scope.attributes, of_scope.schema_url)
            for span in of_scope.spans:
                yield _row(span, resource, key)


def _row(span: Span, resource: int, scope: int) -> SpanRow:
    encoded = span.SerializeToString()
    body = decode_body(encoded)
    return SpanRow(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_span_id or None,
        name=span.name,
        kind=span.kind,
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        status=span.status.code,
        columns=column_values(body.attributes),
        links=tuple((bytes.fromhex(link.trace_id), bytes.fromhex(link.span_id), link.kind) for link in body.links),
        body=encoded,
        resource=resource,
        scope=scope,
    )
