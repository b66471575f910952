"""Jaeger's and Zipkin's JSON, field by field."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_mas.errors import SourceError
from otel_mas.model import Query, Span, SpanKind, StatusCode
from otel_mas.sources import open_source
from otel_mas.sources.exports.jaeger_ui import JaegerUiFile
from otel_mas.sources.exports.source import ExportSource
from otel_mas.sources.exports.spans import hex_id, iso_ns
from otel_mas.sources.exports.zipkin import ZipkinFile

TRACE, OTHER, ROOT, CHILD = "0af7651916cd43dd8448eb211c80319c", "f" * 32, "b7ad6b7169203331", "00f067aa0ba902b7"
Read = Callable[[Any], dict[str, Span]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """`read(document)`: the spans by name, of the one trace."""

    def spans(document: Any) -> dict[str, Span]:
        file = tmp_path / "trace.json"
        file.write_text(json.dumps(document, indent=1))
        source = open_source(file)
        assert isinstance(source, ExportSource)
        (summary,) = source.traces(Query(limit=10))
        return {span.name: span for span in source.trace(summary.trace_id).spans}

    return spans


def jaeger(*spans: dict[str, Any]) -> dict[str, Any]:
    whole = {"traceID": TRACE, "operationName": "root", "startTime": 1_000_000, "duration": 500, "processID": "p1"}
    process = {"serviceName": "team", "tags": [{"key": "host.name", "type": "string", "value": "a"}]}
    return {"data": [{"traceID": TRACE, "spans": [whole | one for one in spans], "processes": {"p1": process}}]}


def tag(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "type": "string" if isinstance(value, str) else "int64", "value": value}


def reference(kind: str, span: str, trace: str = TRACE) -> dict[str, Any]:
    return {"refType": kind, "traceID": trace, "spanID": span}


def test_jaegers_spans_have_their_times_service_resource_and_parent(read: Read) -> None:
    child = {"spanID": CHILD, "operationName": "child", "references": [reference("CHILD_OF", ROOT)]}
    found = read(jaeger({"spanID": ROOT}, child))

    assert (found["root"].start_ns, found["root"].end_ns) == (1_000_000_000, 1_000_500_000)
    assert (found["root"].trace_id, found["root"].span_id, found["root"].parent_span_id) == (TRACE, ROOT, None)
    assert found["child"].parent_span_id == ROOT
    assert found["child"].service == "team"
    assert found["child"].resource.attributes["host.name"] == "a"


@pytest.mark.parametrize(
    ("tags", "kind", "status", "message", "left"),
    [
        ([], SpanKind.INTERNAL, StatusCode.UNSET, "", {}),
        ([tag("span.kind", "server"), tag("n", 3)], SpanKind.SERVER, StatusCode.UNSET, "", {"n": 3}),
        ([tag("error", True)], SpanKind.INTERNAL, StatusCode.ERROR, "", {}),
        ([tag("error", "true")], SpanKind.INTERNAL, StatusCode.ERROR, "", {}),
        ([tag("error", False)], SpanKind.INTERNAL, StatusCode.UNSET, "", {}),
        ([tag("otel.status_code", "OK")], SpanKind.INTERNAL, StatusCode.OK, "", {}),
        (
            [tag("otel.status_code", "ERROR"), tag("otel.status_description", "no")],
            SpanKind.INTERNAL,
            StatusCode.ERROR,
            "no",
            {},
        ),
    ],
)
def test_jaegers_tags_that_stand_for_kind_and_status_become_these(
    read: Read, tags: list[Any], kind: SpanKind, status: StatusCode, message: str, left: dict[str, Any]
) -> None:
    span = read(jaeger({"spanID": ROOT, "tags": tags}))["root"]

    assert (span.kind, span.status, span.status_message, dict(span.attributes)) == (kind, status, message, left)


def test_jaegers_other_references_are_links_and_its_logs_are_events(read: Read) -> None:
    references = [
        reference("FOLLOWS_FROM", "c" * 16, OTHER),
        reference("FOLLOWS_FROM", "d" * 16),
        reference("CHILD_OF", ROOT),
    ]
    log = {"timestamp": 1_000_100, "fields": [tag("event", "retry"), tag("attempt", 2)]}
    span = read(jaeger({"spanID": CHILD, "references": references, "logs": [log]}))["root"]

    assert span.parent_span_id == ROOT
    assert [(link.trace_id, link.span_id) for link in span.links] == [(OTHER, "c" * 16), (TRACE, "d" * 16)]
    assert [(one.name, one.time_ns, dict(one.attributes)) for one in span.events] == [
        ("retry", 1_000_100_000, {"attempt": 2})
    ]


def test_a_span_of_jaegers_that_cannot_be_read_is_left_out(read: Read, caplog: pytest.LogCaptureFixture) -> None:
    assert list(read(jaeger({"spanID": ROOT}, {"spanID": CHILD, "startTime": "soon"}))) == ["root"]
    assert "leaves out a span that cannot be read" in caplog.text


def zipkin(*spans: dict[str, Any]) -> list[dict[str, Any]]:
    whole = {"traceId": TRACE, "timestamp": 1_000_000, "duration": 500, "localEndpoint": {"serviceName": "team"}}
    return [whole | one for one in spans]


@pytest.mark.parametrize("nested", [False, True], ids=["spans", "traces"])
def test_zipkins_spans_have_their_times_service_kind_and_parent(read: Read, nested: bool) -> None:
    spans = zipkin({"id": ROOT, "name": "root"}, {"id": CHILD, "parentId": ROOT, "name": "child", "kind": "CLIENT"})
    found = read([spans] if nested else spans)

    assert (found["root"].start_ns, found["root"].end_ns) == (1_000_000_000, 1_000_500_000)
    assert (found["child"].parent_span_id, found["child"].kind) == (ROOT, SpanKind.CLIENT)
    assert found["root"].service == "team"


@pytest.mark.parametrize(
    ("tags", "status", "message", "left"),
    [
        ({"gen_ai.usage.input_tokens": "12"}, StatusCode.UNSET, "", {"gen_ai.usage.input_tokens": 12}),
        ({"x": "12"}, StatusCode.UNSET, "", {"x": "12"}),
        ({"error": "no"}, StatusCode.ERROR, "no", {}),
        ({"error": "true"}, StatusCode.ERROR, "", {}),
        ({"error": "false"}, StatusCode.UNSET, "", {}),
        ({"otel.status_code": "ERROR", "error": "no"}, StatusCode.ERROR, "no", {}),
        ({"otel.status_code": "OK"}, StatusCode.OK, "", {}),
    ],
)
def test_zipkins_tags_are_attributes_in_the_type_of_a_known_name(
    read: Read, tags: dict[str, str], status: StatusCode, message: str, left: dict[str, Any]
) -> None:
    span = read(zipkin({"id": ROOT, "name": "root", "tags": tags}))["root"]

    assert (span.status, span.status_message, dict(span.attributes)) == (status, message, left)


def half(service: str, **more: Any) -> dict[str, Any]:
    return {"id": ROOT, "localEndpoint": {"serviceName": service}} | more


def below(service: str, **more: Any) -> dict[str, Any]:
    return half(service, id=CHILD, parentId=ROOT, name="work") | more


CLIENT_AND_SERVER = (
    half("web", name="ask", kind="CLIENT"),
    half("api", name="answer", kind="SERVER", shared=True),
)


@pytest.mark.parametrize(("service", "above"), [("api", "answer"), ("web", "ask"), ("", "answer")])
@pytest.mark.parametrize("order", [1, -1], ids=["client first", "server first"])
def test_zipkins_two_halves_of_a_call_are_two_spans(read: Read, service: str, above: str, order: int) -> None:
    """What is below them is below the half of the same service, as Zipkin has it, else the server's, as Jaeger has."""
    found = read(zipkin(*CLIENT_AND_SERVER[::order], below(service)))

    assert found["ask"].span_id == ROOT
    assert found["answer"].parent_span_id == ROOT != found["answer"].span_id
    assert found["work"].parent_span_id == found[above].span_id


def test_zipkins_call_that_two_servers_answered_has_three_spans(read: Read) -> None:
    mirror = half("mirror", name="copy", kind="SERVER", shared=True)
    found = read(zipkin(*CLIENT_AND_SERVER, mirror, below("mirror")))

    assert len({span.span_id for span in found.values()}) == 4
    assert found["work"].parent_span_id == found["copy"].span_id


def test_zipkins_shared_span_without_its_client_keeps_its_id(read: Read) -> None:
    found = read(zipkin(half("api", name="answer", kind="SERVER", shared=True), below("api")))

    assert (found["answer"].span_id, found["work"].parent_span_id) == (ROOT, ROOT)


def test_zipkins_halves_may_be_in_different_lines(tmp_path: Path) -> None:
    (tmp_path / "lines.json").write_text("\n".join(json.dumps(zipkin(one)) for one in CLIENT_AND_SERVER))
    source = open_source(tmp_path / "lines.json")

    assert [summary.span_count for summary in source.traces(Query(limit=10))] == [2]
    assert len({span.span_id for span in source.trace(TRACE).spans}) == 2


def test_zipkins_annotations_are_events_and_the_other_end_is_the_peer(read: Read) -> None:
    more = {
        "annotations": [{"timestamp": 1_000_100, "value": "retry"}],
        "remoteEndpoint": {"serviceName": "db", "ipv4": "10.0.0.1", "port": 5432},
    }
    span = read(zipkin({"id": ROOT, "name": "root", **more}))["root"]

    assert [(one.name, one.time_ns) for one in span.events] == [("retry", 1_000_100_000)]
    assert dict(span.attributes) == {
        "peer.service": "db",
        "network.peer.address": "10.0.0.1",
        "network.peer.port": 5432,
    }


@pytest.mark.parametrize(
    ("form", "document"), [(JaegerUiFile, jaeger({"spanID": ROOT})), (ZipkinFile, zipkin({"id": ROOT}))]
)
@pytest.mark.parametrize("name", ["one.json", "one.json.gz"])
def test_files_are_recognised_by_their_content_in_folders_too(
    form: type[ExportSource], document: Any, name: str, tmp_path: Path
) -> None:
    text = json.dumps(document).encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    (tmp_path / "other.json").write_text("{}")

    for target in (tmp_path / name, tmp_path):
        source = open_source(target)
        assert isinstance(source, form)
        assert len(source.traces(Query(limit=10))) == 1


def test_a_file_that_is_something_else_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"data": 3}')
    with pytest.raises(SourceError, match=r"a\.json is no file of Jaeger's JSON"):
        open_source(f"jaeger+file://{tmp_path}/a.json")


@pytest.mark.parametrize("case", range(1, 13))
def test_traces_that_jaeger_has_written_are_read_whole(case: int, shared_data: Callable[[str], Path]) -> None:
    path = shared_data(f"critical-path/crisp/traces/{case}.json")
    known = json.loads(path.read_text())["data"][0]["spans"]
    source = open_source(path)
    (summary,) = source.traces(Query(limit=10))

    assert summary.span_count == len(known)
    found = {span.span_id: span for span in source.trace(summary.trace_id).spans}
    for span in known:
        read_one = found[hex_id(span["spanID"], 16)]
        assert read_one.start_ns == span["startTime"] * 1_000
        assert (read_one.end_ns or 0) - read_one.start_ns == span["duration"] * 1_000


@pytest.mark.parametrize(
    ("text", "digits", "expected"),
    [
        ("ABC", 16, "0000000000000abc"),
        ("0xb7ad6b7169203331", 16, ROOT),
        ("0af76519-16cd-43dd-8448-eb211c80319c", 32, TRACE),
        (TRACE, 32, TRACE),
    ],
)
def test_ids_in_hexadecimal_stay_what_they_are(text: str, digits: int, expected: str) -> None:
    assert hex_id(text, digits) == expected


def test_other_ids_become_digests_that_differ_and_stay() -> None:
    found = [hex_id(text, 16) for text in ("span-E", "span-C", "0af76519-16cd-43dd-8448-eb211c80319c", "0")]

    assert len(set(found)) == 4
    assert {len(one) for one in found} == {16}
    assert found[0] == hex_id("span-E", 16)


@pytest.mark.parametrize("time", ["12:24:39.501212Z", "12:24:39.501212", "14:24:39.501212+02:00"])
def test_times_are_exact_to_the_microsecond(time: str) -> None:
    assert iso_ns(f"2026-11-30T{time}") == 1_796_041_479_501_212_000
