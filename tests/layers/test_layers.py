"""A browser and a Node client → FastAPI over WebSocket and HTTP → RabbitMQ → a LangGraph worker → a LangGraph service.

One conversation, one causal graph, and the time in the queue on the critical path: from one store that a server
receives into as well; and where two stores are shipped to Jaeger, from there.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pika
import pytest

import otel_mas
from otel_mas.api.trace import Conversation
from otel_mas.causal import StepKind
from otel_mas.errors import OtelMasError
from otel_mas.semconv import RecordKind
from tests.backends.build import NoBackend
from tests.backends.jaeger import Jaeger
from tests.backends.programs import javascript_sdk
from tests.browser.devtools import Browser, Page
from tests.layers.processes import PATIENCE_S, REPOSITORY, recorded, service
from tests.layers.rabbitmq import NoRabbitMQ, ensure, rabbitmq
from tests.layers.web import QUESTIONS
from tests.serving.server import Server
from tests.unavailable import unavailable

CONVERSATION = "c-7"
SERVICES = {"browser", "node", "web", "worker", "helper"}


class Place(NamedTuple):
    """Where the services record, and where all of it is read."""

    stores: tuple[Path, Path]
    otlp: str
    source: str


@pytest.fixture(scope="module")
def amqp(surroundings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    try:
        program = ensure(surroundings)
    except NoRabbitMQ as missing:
        unavailable(missing, surroundings)
    with rabbitmq(program, tmp_path_factory.mktemp("rabbitmq")) as url:
        yield url


@pytest.fixture(scope="module")
def client(surroundings: dict[str, str]) -> list[str]:
    try:
        return javascript_sdk(surroundings, "client.mjs")
    except NoBackend as missing:
        unavailable(missing, surroundings)


@contextmanager
def one_store(folder: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    store = folder / "runs.db"
    with Server(store) as server:
        yield Place((store, store), f"http://{server.http}", str(store))


@contextmanager
def two_stores(folder: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    jaeger = Jaeger(request.getfixturevalue("jaeger_binary"), folder / "jaeger")  # built for those who need it
    jaeger.start()
    try:
        stores = folder / "web.db", folder / "worker.db"
        yield Place(stores, f"http://{jaeger.otlp_http}", f"jaeger+http://{jaeger.http}")
    finally:
        jaeger.stop()


WAYS: dict[str, Callable[[Path, pytest.FixtureRequest], AbstractContextManager[Place]]] = {
    "one store": one_store,
    "two stores, read from Jaeger": two_stores,
}


@pytest.fixture(scope="module", params=WAYS)
def conversation(
    request: pytest.FixtureRequest,
    amqp: str,
    client: list[str],
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Conversation]:
    """Both clients have asked, one after the other; the worker started when the first question was in the queue."""
    folder = tmp_path_factory.mktemp("layers")
    with ExitStack() as stack:
        place = stack.enter_context(WAYS[request.param](folder, request))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
        if place.stores[0] != place.stores[1]:
            patch.setenv("OTEL_MAS_EXPORT", "otlp")
            patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", place.otlp)
        here, there = place.stores
        helper = stack.enter_context(service(there, folder / "helper", "helper", "tests.layers.service", "fastapi"))
        web = stack.enter_context(service(here, folder / "web", "web", "tests.layers.web", amqp, place.otlp))
        page = Page(browser, f"http://127.0.0.1:{web}/")
        stack.callback(page.close)
        page.run(f"void ask('from the browser', '{CONVERSATION}').then((text) => {{ window.answer = text; }})")
        wait_for_question(amqp)
        stack.enter_context(worker(there, folder / "worker", amqp, f"http://127.0.0.1:{helper}/ask"))
        assert answer_in(page) == "from the browser, answered"
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", place.otlp)
        patch.setenv("OTEL_SERVICE_NAME", "node")
        asked = [*client, f"http://127.0.0.1:{web}/ask", "from Node", CONVERSATION]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.stdout == "from Node, answered\n", done.stderr
        yield whole(place.source)


@contextmanager
def worker(store: Path, log: Path, amqp: str, helper: str) -> Iterator[None]:
    command, environment = recorded(store, "worker", "tests.layers.worker", amqp, helper)
    with log.open("w") as file:
        started = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=file, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(PATIENCE_S)


def answer_in(page: Page) -> str:
    until = time.monotonic() + PATIENCE_S
    while not (answer := page.run("window.answer ?? ''")):
        assert time.monotonic() < until, page.complaints()
        time.sleep(0.2)
    return str(answer)


def wait_for_question(amqp: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(amqp))
    until = time.monotonic() + PATIENCE_S
    while not connection.channel().queue_declare(QUESTIONS, passive=True).method.message_count:
        assert time.monotonic() < until, "no question came into the queue"
        time.sleep(0.05)
    connection.close()


def whole(place: str) -> Conversation:
    """The conversation, once all of it has arrived: nothing is open, and the last spans of both answers are there."""
    until = time.monotonic() + PATIENCE_S
    while True:
        problem: object = None
        with otel_mas.open(place) as source:
            try:
                found = source.conversation(CONVERSATION)
                received = [span for span in found.spans if span.record_kind == RecordKind.RECEIVE]
                problem = sorted({span.service for span in found.spans}), len(received)
                ended = all(span.end_ns is not None for span in found.spans)
                if {span.service for span in found.spans} == SERVICES and len(received) == 4 and ended:
                    return found
            except OtelMasError as error:
                problem = error
        assert time.monotonic() < until, problem
        time.sleep(0.5)


def test_both_clients_are_in_one_conversation_over_every_service(conversation: Conversation) -> None:
    assert {span.service for span in conversation.spans} == SERVICES
    roots = {root.name for root in conversation.graph().causal.roots}
    assert {"ask by WebSocket", "ask by HTTP"} <= roots
    assert len({span.trace_id for span in conversation.spans}) == 2


def test_every_message_has_a_receiver_that_is_linked_to_who_sent_it(conversation: Conversation) -> None:
    spans = {span.span_id: span for span in conversation.spans}
    edges = [edge for edge in conversation.graph().edges if edge.kind == "message" and edge.cause in spans]
    pairs = sorted(
        (spans[edge.cause].service, spans[edge.effect].service)
        for edge in edges
        if spans[edge.effect].record_kind == RecordKind.RECEIVE
    )
    assert pairs == [("web", "worker"), ("web", "worker"), ("worker", "web"), ("worker", "web")]


def test_the_time_in_the_queue_is_on_the_critical_path_and_so_is_every_service(conversation: Conversation) -> None:
    path = conversation.graph().critical_path()
    longest = max((step for step in path if step.kind == StepKind.QUEUE), key=lambda step: step.duration_ns)
    assert longest.span is not None
    assert longest.span.service == "web"
    assert longest.why.endswith(f"in queue {QUESTIONS}")  # until the worker was there
    assert {span.service for span in path.spans} == SERVICES
    assert sum(step.duration_ns for step in path) == path.total_ns
