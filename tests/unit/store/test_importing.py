"""Imported spans are there once, however often, and never replace recorded ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, TracesData

from otel_mas.config import Settings
from otel_mas.model import Query
from otel_mas.otlp.framing import traces_data
from otel_mas.privacy.withhold import Withholder
from otel_mas.semconv import attributes as names
from otel_mas.store import StoreReader
from otel_mas.store.importing import import_spans
from otel_mas.store.log_reader import LogReader
from otel_mas.store.losses import read_redacted
from otel_mas.store.rows import Batch
from tests.conformance.lunch import ASKING, PROCESSES, RESUMED, THREAD
from tests.conformance.messages import link, process, span, trace_id


def test_spans_are_read_as_they_were(tmp_path: Path) -> None:
    done = import_spans(tmp_path / "s.db", PROCESSES)

    assert (done.added, done.duplicates) == (15, 0)
    with StoreReader(tmp_path / "s.db") as reader:
        assert [trace.trace_id for trace in reader.conversation(THREAD)] == [trace_id(ASKING), trace_id(RESUMED)]
        assert all(not summary.incomplete for summary in reader.traces(Query()))
    log = LogReader(tmp_path / "s.db")
    (sent,) = TracesData.FromString(traces_data(log.trace(trace_id(RESUMED)))).resource_spans
    log.close()
    assert sent == PROCESSES[1]


def test_twice_changes_nothing_and_is_counted(tmp_path: Path) -> None:
    import_spans(tmp_path / "s.db", PROCESSES)
    with StoreReader(tmp_path / "s.db") as reader:
        before = reader.traces(Query())
    done = import_spans(tmp_path / "s.db", [*PROCESSES, *PROCESSES])

    assert (done.added, done.duplicates) == (0, 30)
    with StoreReader(tmp_path / "s.db") as reader:
        assert reader.traces(Query()) == before


def test_imported_spans_are_shipped_only_with_may_ship(bench: Any) -> None:
    bench.writer().close()
    import_spans(bench.path, PROCESSES[:1])
    import_spans(bench.path, PROCESSES[1:2], may_ship=True)

    log = LogReader(bench.path)
    marks = log._connection.execute("SELECT may_ship, count(*) FROM spans GROUP BY 1").fetchall()
    log.close()
    assert marks == [(0, 7), (1, 5)]


def test_a_recorded_span_does_not_come_back_with_less_in_it(bench: Any) -> None:
    writer = bench.writer(instance=b"i" * 16)
    attributes = {names.MAS_STORE_ID: writer.store_id, names.MAS_INSTANCE_ID: (b"i" * 16).hex()}
    resource = writer.resource(attributes, "", b"")
    recorded_span = span(1, 1, "said", 0, 1, attributes={names.GEN_AI_INPUT_MESSAGES: "said"})
    row = bench.span(
        trace_id=recorded_span.trace_id,
        span_id=recorded_span.span_id,
        body=recorded_span.SerializeToString(),
        resource=resource,
    )
    writer.write(Batch(spans=[row]))
    log = LogReader(bench.path)
    (recorded,) = log.trace(row.trace_id.hex())
    archived = traces_data([Withholder().row(recorded)[0]])
    log.close()
    done = import_spans(bench.path, TracesData.FromString(archived).resource_spans)

    assert (done.added, done.duplicates) == (0, 1)
    (read,) = bench.reader().trace(row.trace_id.hex()).spans
    assert read.attributes[names.GEN_AI_INPUT_MESSAGES] == "said"


def test_a_deleted_span_comes_back(bench: Any) -> None:
    writer = bench.writer()
    message = process(
        {names.MAS_STORE_ID: writer.store_id, names.MAS_INSTANCE_ID: b"instance".hex()}, [span(1, 1, "s", 0, 1)]
    )

    assert import_spans(bench.path, [message]).added == 1


def test_spans_without_ids_are_left_out_and_counted(tmp_path: Path) -> None:
    good = span(1, 1, "good", 0, 1)
    bad = [Span(name="none"), Span(trace_id=b"\0" * 16, span_id=b"s" * 8), Span(trace_id=b"t" * 16, span_id=b"\0" * 8)]
    done = import_spans(tmp_path / "s.db", [process({}, [*bad, good])])

    assert (done.added, done.without_ids) == (1, 3)


def test_ids_of_64_bits_are_those_of_128_with_zeros_before(tmp_path: Path) -> None:
    short = Span(trace_id=b"t" * 8, span_id=b"s" * 8, name="short", end_time_unix_nano=1)
    import_spans(tmp_path / "s.db", [process({}, [short])])

    with StoreReader(tmp_path / "s.db") as reader:
        assert reader.trace("0" * 16 + (b"t" * 8).hex()).spans[0].name == "short"


def test_links_with_ids_of_odd_length_do_not_keep_a_span_out(tmp_path: Path) -> None:
    odd = span(1, 1, "odd", 0, 1, links=[link(1, 2), Span.Link(trace_id=b"x", span_id=b"y")])

    assert import_spans(tmp_path / "s.db", [process({}, [odd])]).added == 1


def test_runs_are_distinguished(tmp_path: Path) -> None:
    runs = [process({names.MAS_RUN_ID: f"run-{number}"}, [span(number, 1, "s", 0, 1)]) for number in range(1, 41)]
    done = import_spans(tmp_path / "s.db", [*runs, *runs])

    assert (done.added, done.duplicates) == (40, 40)
    with StoreReader(tmp_path / "s.db") as reader:
        assert [summary.trace_id for summary in reader.traces(Query(run_id="run-7"))] == [trace_id(7)]


def test_the_oldest_start_is_returned(tmp_path: Path) -> None:
    messages: list[ResourceSpans] = list(PROCESSES)

    oldest = min(one.start_time_unix_nano for p in messages for of in p.scope_spans for one in of.spans)
    assert import_spans(tmp_path / "s.db", messages).oldest_ns == oldest
    assert import_spans(tmp_path / "s.db", []).oldest_ns is None


def test_personal_data_is_removed_from_imported_spans_where_settings_ask_for_it(tmp_path: Path) -> None:
    message = ResourceSpans()
    message.CopyFrom(PROCESSES[0])
    said = "write to bob@example.com"
    imported = message.scope_spans[0].spans[0]
    message.resource.attributes.add(key="owner").value.string_value = said
    message.scope_spans[0].scope.name = said
    imported.name = imported.status.message = said
    imported.attributes.add(key="user.address").value.string_value = "Street 1"
    imported.attributes.add(key="input").value.array_value.values.add().string_value = f'{{"to": "{said}"}}'
    event = imported.events.add(name="exception")
    event.attributes.add(key="exception.message").value.string_value = said
    settings = Settings(personal_data=("email",), remove_paths=("user.address",))
    for _ in range(2):
        copy = ResourceSpans()
        copy.CopyFrom(message)
        done = import_spans(tmp_path / "s.db", [copy], settings=settings)

    assert (done.added, done.duplicates) == (0, len(PROCESSES[0].scope_spans[0].spans))
    with StoreReader(tmp_path / "s.db") as reader:
        trace = reader.trace(imported.trace_id.hex())
        (found,) = [one for one in trace.spans if one.span_id == imported.span_id.hex()]
        assert found.name.startswith("write to [email:")
        assert found.attributes["user.address"] == "[removed]"
        assert read_redacted(reader._connection) == {"email": 12, "path": 2}
    for file in tmp_path.iterdir():
        assert b"bob@" not in file.read_bytes()
        assert b"Street 1" not in file.read_bytes()
