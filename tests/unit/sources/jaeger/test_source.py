"""Jaeger: what is asked of which version, what is filtered here, and where it is.

What a real one answers is in tests/conformance and test_jaeger_real.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_mas.errors import SourceError, UnsupportedQuery
from otel_mas.model import Query
from otel_mas.sources import open_source
from otel_mas.sources.jaeger.source import JaegerSource
from tests.conformance import lunch
from tests.conformance.messages import BASE_NS, export, process, span, trace_id
from tests.unit.sources.answering import (
    answering,
)
from tests.unit.sources.jaeger.fake_jaeger import LUNCH, TRACE, FakeJaeger, http_client, over_http


@pytest.mark.parametrize("version", [(2, 13), (2, 18), (2, 19), (2, 20)])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query(), [lunch.FOREIGN, lunch.RESUMED, lunch.ASKING]),
        (Query(limit=1), [lunch.FOREIGN]),
        (Query(agent="waiter"), [lunch.RESUMED]),
        (Query(agent="chef", service="gateway"), [lunch.FOREIGN]),
        (Query(conversation_id=lunch.THREAD), [lunch.RESUMED, lunch.ASKING]),
        (Query(run_id=lunch.RUN), [lunch.ASKING]),
        (Query(status="interrupted"), [lunch.ASKING]),
    ],
    ids=str,
)
def test_every_version_gives_the_same(version: tuple[int, int], query: Query, found: list[int]) -> None:
    with answering(FakeJaeger(version=version, traces=LUNCH)) as server:
        assert [one.trace_id for one in over_http(server).traces(query)] == [trace_id(number) for number in found]


@pytest.mark.parametrize(
    "query", [Query(), Query(status="interrupted"), Query(limit=1), Query(agent="waiter")], ids=str
)
def test_a_storage_that_searches_within_a_service_only_is_asked_service_by_service(query: Query) -> None:
    with answering(FakeJaeger(version=(2, 20), traces=LUNCH)) as server:
        expected = over_http(server).traces(query)
    with answering(FakeJaeger(version=(2, 21), traces=LUNCH, by_service=True)) as server:
        assert over_http(server).traces(query) == expected
        assert sum(not asked.query.get("query.service_name") for asked in server.asked if asked.query) <= 1


def test_a_storage_without_any_service_has_no_traces() -> None:
    with answering(FakeJaeger(version=(2, 21), traces={}, by_service=True)) as server:
        assert over_http(server).traces(Query()) == []


def test_a_version_that_takes_attributes_is_asked_by_them_in_each_service() -> None:
    """Storages look for attributes within a service only, and agent and service may be on different spans."""
    with answering(FakeJaeger(version=(2, 20), traces=LUNCH)) as server:
        over_http(server).traces(Query(agent="chef", service="gateway", since_ns=BASE_NS))
        searches = [asked.query for asked in server.asked if asked.path == "/api/v3/traces"]

    named = [query for query in searches if json.loads(query["query.attributes"]) == {"gen_ai.agent.name": "chef"}]
    assert {query["query.service_name"] for query in named} == {"canteen", "gateway", "kitchen"}
    assert named == searches[1:]  # the first asks whether they are taken


def test_a_version_that_ignores_attributes_is_asked_by_service() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        over_http(server).conversation(lunch.THREAD, lunch.SERVICE)
        searches = [asked.query for asked in server.asked if asked.path == "/api/v3/traces"]

    assert {query["query.service_name"] for query in searches} == {lunch.SERVICE}
    assert all("query.attributes" not in query for query in searches[1:])


def test_a_value_that_could_be_a_regular_expression_is_not_left_to_the_server() -> None:
    with answering(FakeJaeger(version=(2, 20), traces=LUNCH)) as server:
        assert over_http(server).traces(Query(conversation_id=".*|a+")) == []

    assert not any("query.attributes" in asked.query for asked in server.asked)


def test_both_names_of_the_depth_are_sent() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        over_http(server).traces(Query(limit=50))

    query = next(asked.query for asked in server.asked if asked.path == "/api/v3/traces")
    assert query["query.num_traces"] == query["query.search_depth"] == "51"
    assert query["query.start_time_min"].endswith("Z")
    assert query["query.raw_traces"] == "true"


def test_a_small_storage_is_asked_for_few_at_a_time() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH, most=8)) as server:
        assert len(over_http(server).traces(Query())) == 3


def test_a_trace_in_pieces_is_one() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        assert len(over_http(server).trace(trace_id(lunch.FOREIGN)).spans) == 3


def test_a_span_that_was_delivered_twice_is_read_once() -> None:
    traces = {TRACE: [lunch.EXPORTS[0], lunch.EXPORTS[0]]}
    with answering(FakeJaeger(version=(2, 13), traces=traces)) as server:
        source = over_http(server)
        assert len(source.trace(TRACE).spans) == 7
        assert source.traces(Query())[0] == lunch.SUMMARIES[lunch.ASKING]


def test_message_digests_are_read_from_the_spans() -> None:
    with answering(FakeJaeger(version=(2, 13), traces=LUNCH)) as server:
        refs = over_http(server).message_refs(TRACE)

    assert [(ref.direction, ref.position, ref.digest[:2]) for ref in refs[:3]] == [
        ("input", 0, "0a"),
        ("input", 1, "0b"),
        ("output", 0, "0c"),
    ]


def test_more_than_can_be_looked_at_is_refused() -> None:
    many = {trace_id(n): [export(process({"service.name": "s"}, [span(n, n, "x", n, n + 1)]))] for n in range(1, 200)}
    fake = FakeJaeger(version=(2, 13), traces=many, most=50)

    with answering(fake) as server, pytest.raises(UnsupportedQuery, match="say since when"):
        JaegerSource(http_client(server), max_counted=100).traces(Query(agent="nobody"))


# Endpoints


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("jaeger+http://", "names no host"),
        ("jaeger+http:///api", "names no host"),
        ("jaeger+http://host:0", "names no host"),
        ("jaeger+http://host:port", "is no address"),
        ("jaeger+http://host:99999", "is no address"),
        ("jaeger+http://[::1", "is no address"),
        ("jaeger+http://a b", "names no host"),
        ("jaeger+http://http://host:16686", "two schemes"),
        ("jaeger+http://host:16686?x=1", "query"),
        ("jaeger+grpc://host:16685/base", "gRPC knows none"),
        ("jaeger+https://me:secret@host", "OTEL_MAS_SOURCE_HEADERS"),
    ],
)
def test_an_address_that_is_none_is_refused_with_an_example(target: str, expected: str) -> None:
    with pytest.raises(SourceError, match=expected) as caught:
        open_source(target)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("jaeger+http://host", "jaeger+http://host:16686"),
        ("jaeger+http://host/base/", "jaeger+http://host:16686/base"),
        ("jaeger+https://host:443/a/b", "jaeger+https://host:443/a/b"),
        ("jaeger+http://[::1]", "jaeger+http://[::1]:16686"),
        ("jaeger+grpc://host", "jaeger+grpc://host:16685"),
        ("tempo+http://host", "tempo+http://host:3200"),
    ],
)
def test_an_address_is_shown_as_it_can_be_opened(target: str, location: str) -> None:
    source = open_source(target)

    assert source.location == location
    assert open_source(source.location).location == location
    source.close()


@pytest.mark.parametrize("target", ["localhost:16686", "jaeger.example.com:443/base"])
def test_an_address_without_a_scheme_is_reported(target: str) -> None:
    with pytest.raises(SourceError, match=r"jaeger\+http://"):
        open_source(target)


# Changes of its sanitizers


WARNING = (
    "Negative duration detected, sanitizing end timestamp. Original end timestamp: {}, adjusted to: "
    "2026-11-21 10:00:00.000000001 +0000 UTC"
)
START_NS = 1_795_255_200 * 10**9


def sanitized(end_ns: int, warnings: object, name: str = "s") -> TracesData:
    message = span(1, 1, name, 0, 0, attributes={"@jaeger@warnings": warnings, "kept": 1} if warnings else {"kept": 1})
    message.start_time_unix_nano, message.end_time_unix_nano = START_NS, end_ns
    return export(process({"service.name": "s"}, [message]))


@pytest.mark.parametrize(
    ("warning_time", "end_ns"),
    [
        ("2026-11-21 10:00:00 +0000 UTC", START_NS),
        ("2026-11-21 09:59:59.98765 +0000 UTC", START_NS - 12_350_000),
        ("1970-01-01 00:00:00 +0000 UTC", None),
    ],
)
@pytest.mark.parametrize("form", [tuple, json.dumps], ids=["array", "text"])
@pytest.mark.parametrize("others", [[], ["another"]])
def test_the_end_that_jaeger_keeps_in_a_warning_comes_back(
    warning_time: str, end_ns: int | None, form: Callable[[object], object], others: list[str]
) -> None:
    warnings = [*others, WARNING.format(warning_time)]
    held = sanitized(START_NS + 1, form(warnings))

    with answering(FakeJaeger(version=(2, 20), traces={trace_id(1): [held]})) as server:
        (restored,) = over_http(server).trace(trace_id(1)).spans

    kept = {"@jaeger@warnings": json.dumps(others) if form is json.dumps else tuple(others)} if others else {}
    assert (restored.start_ns, restored.end_ns) == (START_NS, end_ns)
    assert dict(restored.attributes) == {"kept": 1, **kept}


@pytest.mark.parametrize(
    ("end_ns", "warnings"),
    [
        (START_NS + 1, ()),
        (START_NS + 1, ("another",)),
        (START_NS + 1, "[1]"),
        (START_NS + 1, (WARNING.format("yesterday"),)),
        (START_NS + 2, (WARNING.format("2026-11-21 10:00:00 +0000 UTC"),)),
    ],
    ids=str,
)
def test_an_end_that_jaeger_did_not_change_stays(end_ns: int, warnings: object) -> None:
    held = sanitized(end_ns, warnings)

    with answering(FakeJaeger(version=(2, 20), traces={trace_id(1): [held]})) as server:
        assert over_http(server).trace(trace_id(1)).spans[0].end_ns == end_ns


def test_the_name_that_jaeger_gives_to_a_span_without_one_is_removed() -> None:
    held = sanitized(START_NS + 5, (), "empty-span-name")

    with answering(FakeJaeger(version=(2, 20), traces={trace_id(1): [held]})) as server:
        assert over_http(server).trace(trace_id(1)).spans[0].name == ""
