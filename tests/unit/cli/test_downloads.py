"""How often a command downloads the same trace from a server: once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import orjson
import pytest
from click.testing import CliRunner
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

import otel_mas
from otel_mas.cli import cli
from otel_mas.otlp.wire import delimited, tag
from otel_mas.semconv import attributes as names
from tests.backends.jaeger import Jaeger
from tests.conformance.messages import export, process, span, trace_id
from tests.unit.sources.answering import Answer, Asked, answering
from tests.unit.sources.jaeger.fake_jaeger import FakeJaeger, spans
from tests.unit.sources.jaeger.fake_jaeger import attributes as span_attributes

SECOND = 10**9
THREAD, SERVICE = "trip", "travel"
AGES_S = {1: 200, 2: 900, 3: 1600, 4: 3 * 86_400, 5: 3 * 86_400 + 60}
"""When each trace began, in seconds before now, the newest first. The first three are one conversation."""
LATEST = trace_id(1)


def traces() -> dict[str, list[TracesData]]:
    now_ns = time.time_ns()
    found = {}
    for number, age_s in AGES_S.items():
        attributes = {names.GEN_AI_CONVERSATION_ID: THREAD} if number <= 3 else {}
        parts = [
            span(number, place, f"step {place}", 0, 0, parent=None if place == 1 else 1, attributes=attributes)
            for place in range(1, 5)
        ]
        for place, one in enumerate(parts):
            one.start_time_unix_nano = now_ns + (place - age_s) * SECOND
            one.end_time_unix_nano = one.start_time_unix_nano + SECOND
        found[trace_id(number)] = [export(process({"service.name": SERVICE}, parts))]
    return found


@dataclass
class Server:
    """Answers, and counts the traces that leave with each answer."""

    scheme: str
    answer: Callable[[Asked], Answer]
    address: str = ""
    requests: list[str] = field(default_factory=list)
    delivered: Counter[str] = field(default_factory=Counter)

    def __call__(self, asked: Asked) -> Answer:
        answer = self.answer(asked)
        self.requests.append(asked.path)
        if "otel-mas asks whether this selects" not in str(asked.query):  # of which only the first bytes are read
            self.delivered.update(_trace_ids(answer, asked.path))
        return answer

    def run(self, *words: str) -> str:
        """Run a command; what it prints for people besides its answer."""
        self.requests.clear()
        self.delivered.clear()
        done = CliRunner().invoke(cli, [*words, "--from", f"{self.scheme}://{self.address}"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stderr


def _trace_ids(answer: Answer, path: str) -> set[str]:
    if answer.status != 200:
        return set()
    if answer.type == "application/protobuf":
        return {path.rpartition("/")[2]}
    return {
        one["traceId"]
        for resource in orjson.loads(answer.body).get("result", {}).get("resourceSpans", ())
        for scope in resource["scopeSpans"]
        for one in scope["spans"]
    }


def tempo(held: dict[str, list[TracesData]]) -> Callable[[Asked], Answer]:
    """Tempo's search, which gives ids and starts, and its traces by id."""

    def answer(asked: Asked) -> Answer:
        if asked.path != "/api/search":
            (trace,) = held[asked.path.rpartition("/")[2]]
            return Answer(200, delimited(tag(1), trace.SerializeToString()), "application/protobuf")
        lo, hi = int(asked.query["start"]) * SECOND, int(asked.query["end"]) * SECOND
        found = [
            {"traceID": trace, "startTimeUnixNano": str(spans(parts)[0].start_time_unix_nano)}
            for trace, parts in held.items()
            if any(lo <= one.start_time_unix_nano <= hi for one in spans(parts)) or not hi
            if THREAD not in asked.query["q"] or (names.GEN_AI_CONVERSATION_ID, THREAD) in span_attributes(parts)
        ]
        return Answer(200, orjson.dumps({"traces": found}))

    return answer


def forwarded(server: Jaeger) -> Callable[[Asked], Answer]:
    def answer(asked: Asked) -> Answer:
        try:
            with urlopen(f"http://{server.http}{asked.path}?{urlencode(asked.query)}") as reply:
                return Answer(reply.status, reply.read(), reply.headers["Content-Type"])
        except HTTPError as error:
            with error:
                return Answer(error.code, error.read(), error.headers["Content-Type"])

    return answer


@pytest.fixture(scope="module")
def real(jaeger_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    server = Jaeger(jaeger_binary, tmp_path_factory.mktemp("jaeger"))
    server.start()
    for parts in reversed(traces().values()):
        server.send(parts[0].SerializeToString())
    yield server
    server.stop()


@pytest.fixture(params=["jaeger 2.13", "jaeger 2.20", "tempo", pytest.param("a real jaeger", marks=pytest.mark.slow)])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "a real jaeger":
        found = Server("jaeger+http", forwarded(request.getfixturevalue("real")))
    elif request.param == "tempo":
        found = Server("tempo+http", tempo(traces()))
    else:
        version = (2, int(request.param.rpartition(".")[2]))
        found = Server("jaeger+http", FakeJaeger(version=version, traces=traces()))
    with answering(found) as listening:
        found.address = f"127.0.0.1:{listening.port}"
        yield found


@pytest.mark.parametrize("command", ["show", "graph", "critical-path", "cost"])
def test_one_trace_is_one_request_and_the_hint_about_its_conversation_none(server: Server, command: str) -> None:
    note = server.run(command, LATEST)

    assert (server.delivered, len(server.requests)) == ({LATEST: 1}, 1)
    assert f"--conversation {THREAD} --service {SERVICE} --from {server.scheme}://" in note


def test_the_latest_trace_is_the_only_one_that_is_downloaded(server: Server) -> None:
    server.run("show", "latest")
    assert server.delivered == {LATEST: 1}


@pytest.mark.parametrize(
    "words",
    [("show",), ("graph", "--json"), ("cost",), ("report", "-o", "-")],
    ids=lambda words: words[0],
)
def test_a_conversation_is_downloaded_once(server: Server, words: tuple[str, ...]) -> None:
    server.run(*words, "--conversation", THREAD, "--service", SERVICE)

    assert {trace_id(number) for number in (1, 2, 3)} <= server.delivered.keys()
    assert set(server.delivered.values()) == {1}


def test_a_list_downloads_each_trace_once(server: Server) -> None:
    server.run("traces")
    assert server.delivered == {trace_id(number): 1 for number in AGES_S}


def test_a_data_frame_is_made_from_what_the_list_has_downloaded(server: Server) -> None:
    with otel_mas.open(f"{server.scheme}://{server.address}") as source:
        assert len(source.to_pandas()) == 4 * len(AGES_S)
    assert server.delivered == {trace_id(number): 1 for number in AGES_S}


def test_a_handle_asks_again_for_what_may_have_grown(server: Server) -> None:
    with otel_mas.open(f"{server.scheme}://{server.address}") as source:
        for _ in range(2):
            source.trace(LATEST)
    assert server.delivered == {LATEST: 2}
