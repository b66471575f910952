"""A real Jaeger where it takes one of its own: size, TLS, base paths, an end and a new beginning."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from otel_mas.causal import build
from otel_mas.errors import SourceError
from otel_mas.model import Query
from otel_mas.sources import open_source
from tests.backends.jaeger import Jaeger
from tests.conformance import lunch
from tests.conformance.messages import BASE_NS, MS, export, pairs, process, span, trace_id
from tests.unit.sources.answering import (
    SelfSigned,
)
from tests.unit.sources.jaeger.fake_jaeger import TRACE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def real(jaeger_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    server = Jaeger(jaeger_binary, tmp_path_factory.mktemp("jaeger"))
    server.start()
    yield server
    server.stop()


SPANS = 50_000
_LARGE, _TASKS = 77, 50


def large() -> Iterator[TracesData]:
    """One trace of 50,000 spans with 14 attributes each, in requests of a size that any server takes."""
    attributes = pairs({f"attribute.{n}": f"value {n} of a span" for n in range(12)} | {"n": 1, "f": 0.5})
    numbers = range(1, SPANS + 1)
    for first in range(0, SPANS, 5_000):
        spans = [
            span(_LARGE, n, f"span {n % _TASKS}", n / 100, n / 100 + 5, parent=None if n == 1 else n // 2)
            for n in numbers[first : first + 5_000]
        ]
        for one in spans:
            one.attributes.extend(attributes)
        yield export(process({"service.name": "large"}, spans))


@pytest.fixture(scope="module")
def filled(real: Jaeger) -> Jaeger:
    for part in large():
        real.send(part.SerializeToString())
    return real


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_a_trace_of_50_000_spans_is_read_and_counted(filled: Jaeger, way: str) -> None:
    source = open_source(f"jaeger+{way}://{filled.http if way == 'http' else filled.grpc}")

    trace = source.trace(trace_id(_LARGE))
    (summary,) = source.traces(Query(service="large"))

    assert len(trace.spans) == summary.span_count == SPANS
    assert trace.spans[-1].attributes["attribute.3"] == "value 3 of a span"
    assert len(build([trace]).edges) == SPANS - 1
    source.close()


COUNTED = """
import gc, sys
from otel_mas.model import Query, Span
from otel_mas.sources import open_source

(summary,) = open_source(sys.argv[1]).traces(Query(service="large"))
gc.collect()
print(summary.span_count, sum(isinstance(one, Span) for one in gc.get_objects()))
"""


def test_counting_a_large_trace_keeps_none_of_its_spans(filled: Jaeger) -> None:
    source = f"jaeger+grpc://{filled.grpc}"
    counted = subprocess.run([sys.executable, "-c", COUNTED, source], check=True, capture_output=True, text=True)

    assert counted.stdout.split() == [str(SPANS), "0"]


def test_a_real_base_path_and_a_wrong_one(jaeger_binary: Path, tmp_path: Path) -> None:
    server = Jaeger(jaeger_binary, tmp_path, base_path="/tools/jaeger")
    server.start()
    try:
        server.send(lunch.EXPORTS[0].SerializeToString())
        assert len(open_source(f"jaeger+http://{server.http}").trace(TRACE).spans) == 7
        for wrong in ("", "/tools", "/tools/jaeger/search"):
            with pytest.raises(SourceError, match="does not answer as Jaeger does"):
                open_source(f"jaeger+http://127.0.0.1:{server.ports[0]}{wrong}").trace(TRACE)
    finally:
        server.stop()


def test_a_real_one_over_tls(
    jaeger_binary: Path, tmp_path: Path, trusted: SelfSigned, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Jaeger(jaeger_binary, tmp_path, certificate=trusted.certificate, key=trusted.key)
    server.start()
    targets = [f"jaeger+https://localhost:{server.ports[0]}", f"jaeger+grpcs://localhost:{server.ports[1]}"]
    try:
        server.send(lunch.EXPORTS[0].SerializeToString())
        for target in targets:
            with pytest.raises(SourceError, match="is not trusted"):
                open_source(target).trace(TRACE)
            with pytest.raises(SourceError):
                open_source(target.replace("s://", "://")).trace(TRACE)
        monkeypatch.setenv("OTEL_MAS_SOURCE_CERTIFICATE", str(trusted.certificate))
        for target in targets:
            assert len(open_source(target).trace(TRACE).spans) == 7
    finally:
        server.stop()


@pytest.mark.parametrize("way", ["http", "grpc"])
def test_a_server_that_dies_is_reported_and_read_again_when_it_is_back(
    jaeger_binary: Path, tmp_path: Path, way: str
) -> None:
    server = Jaeger(jaeger_binary, tmp_path, "badger")
    server.start()
    source = open_source(f"jaeger+{way}://{server.http if way == 'http' else server.grpc}")
    try:
        server.send(lunch.EXPORTS[0].SerializeToString())
        assert len(source.trace(TRACE).spans) == 7
        server.stop()
        with pytest.raises(SourceError, match=r"nothing listens|hung up"):
            source.trace(TRACE)
        server.start()
        deadline = time.monotonic() + 30
        while True:
            try:
                assert len(source.trace(TRACE).spans) == 7
                break
            except SourceError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
    finally:
        server.stop()
        source.close()


def test_a_trace_that_is_still_arriving_grows(real: Jaeger) -> None:
    source = open_source(f"jaeger+grpc://{real.grpc}")
    halves = [export(process({"service.name": "arriving"}, [span(78, n, "part", n, n + 1)])) for n in (1, 2)]
    real.send(halves[0].SerializeToString())
    first = source.trace(trace_id(78))
    real.send(halves[1].SerializeToString())

    assert (len(first.spans), len(source.trace(trace_id(78)).spans)) == (1, 2)
    assert source.traces(Query(service="arriving"))[0].span_count == 2
    assert source.traces(Query(service="arriving"))[0].start_ns == BASE_NS + MS
    source.close()
