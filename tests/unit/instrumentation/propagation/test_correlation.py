"""Ids of a user, a conversation and the like: on every span and log record, in baggage that only listed hosts get."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagate import extract, inject
from opentelemetry.propagators.jaeger import JaegerPropagator

import otel_mas
from otel_mas.instrumentation.logs.ids import NAMES

ALL = {
    "mas.workflow.id": "order-4711",
    "mas.mission.id": "m",
    "gen_ai.conversation.id": "c-1",
    "session.id": "s",
    "mas.turn.id": "7",
    "user.id": "ann",
    "mas.request.id": "r",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=path)
    yield path
    otel_mas.shutdown(20)


def correlated() -> Any:
    return otel_mas.correlation(
        workflow="order-4711", mission="m", conversation="c-1", session="s", turn=7, user="ann", request="r"
    )


def attributes(store: Path) -> dict[str, dict[str, Any]]:
    """The attributes of the spans of the latest trace, by name."""
    otel_mas.flush()
    found = otel_mas.open(store).latest()
    return {span.name: dict(span.attributes) for span in found.spans}


def test_spans_of_ours_and_of_other_code_have_all_ids(store: Path) -> None:
    with correlated(), trace.get_tracer("app").start_as_current_span("theirs"), otel_mas.task("ours"):
        pass
    found = attributes(store)
    assert set(found) == {"theirs", "task ours"} or len(found) == 2
    for name, each in found.items():
        assert ALL.items() <= each.items(), name


def test_an_inner_block_changes_what_it_names_and_the_outer_one_holds_again(store: Path) -> None:
    with otel_mas.correlation(user="ann", session="s"), trace.get_tracer("app").start_as_current_span("root"):
        with otel_mas.correlation(user="bob"), trace.get_tracer("app").start_as_current_span("inside"):
            pass
        with trace.get_tracer("app").start_as_current_span("after"):
            pass
    assert baggage.get_all() == {}
    found = attributes(store)
    assert [found[name]["user.id"] for name in ("root", "inside", "after")] == ["ann", "bob", "ann"]
    assert found["inside"]["session.id"] == "s"


def test_what_a_span_says_of_itself_goes_first(store: Path) -> None:
    with otel_mas.correlation(conversation="c-1"), otel_mas.workflow("run", conversation="own"):
        pass
    ((_, found),) = attributes(store).items()
    assert found["gen_ai.conversation.id"] == "own"


def test_threads_belong_to_the_same_also_outside_of_any_span(store: Path) -> None:
    with otel_mas.correlation(user="ann"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(baggage.get_baggage, "user.id").result() == "ann"
        seen: list[object] = []
        thread = threading.Thread(target=lambda: seen.append(baggage.get_baggage("user.id")))
        thread.start()
        thread.join()
    assert seen == ["ann"]


def test_log_records_have_them(store: Path, caplog: pytest.LogCaptureFixture) -> None:
    handler = logging.Handler()
    records: list[logging.LogRecord] = []
    handler.emit = records.append  # type: ignore[method-assign]
    handler.addFilter(otel_mas.logs.Filter())
    logger = logging.getLogger("tests.correlation")
    logger.addHandler(handler)
    with correlated(), otel_mas.task("ours"):
        logger.warning("hello")
    logger.removeHandler(handler)
    ids = {name: getattr(records[0], name) for name in NAMES if name.endswith("_id")}
    assert {"user_id": "ann", "turn_id": "7", "mission_id": "m", "conversation_id": "c-1"}.items() <= ids.items()


def test_traces_are_found_by_their_ids(store: Path) -> None:
    for user, session in (("ann", "one"), ("ann", "two"), ("bob", "three")):
        with otel_mas.correlation(user=user, session=session, conversation=f"c-{user}", turn=1), otel_mas.workflow("w"):
            pass
    otel_mas.flush()
    source = otel_mas.open(store)
    assert len(source.traces(user="ann")) == 2
    assert len(source.traces(user="ann", session="two", turn="1")) == 1
    assert len(source.traces(mission="m")) == 0
    assert len(source.conversation("c-ann").traces) == 2


@pytest.mark.parametrize("wrong", ["", "x" * 257, "a\nb", 1.5, ["u"]])
def test_what_is_no_id_is_left_out_and_the_rest_holds(store: Path, wrong: Any) -> None:
    with otel_mas.correlation(user=wrong, session="s"):
        assert baggage.get_all() == {"session.id": "s"}


def test_switched_off_nothing_is_set_and_nothing_is_held_back() -> None:
    with correlated():
        assert baggage.get_all() == {}
    carrier: dict[str, str] = {}
    inject(carrier, baggage.set_baggage("user.id", "ann"))
    assert carrier == {"baggage": "user.id=ann"}


class Echo(BaseHTTPRequestHandler):
    """Remembers the baggage of each request; `/away` redirects to the same server under its other name."""

    seen: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.seen.append((self.headers["host"].partition(":")[0], self.headers["baggage"]))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("location", f"http://localhost:{self.server.server_address[1]}/")
        else:
            self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def echo() -> Iterator[tuple[int, list[tuple[str, str | None]]]]:
    handler = type("Handler", (Echo,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    HTTPXClientInstrumentor().instrument()
    RequestsInstrumentor().instrument()
    yield server.server_address[1], handler.seen
    RequestsInstrumentor().uninstrument()
    HTTPXClientInstrumentor().uninstrument()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("get", [httpx.get, requests.get])
def test_only_listed_hosts_get_ids_and_the_app_s_own_entries_go_where_it_sends_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, echo: Any, get: Any
) -> None:
    port, seen = echo
    monkeypatch.setenv("OTEL_MAS_BAGGAGE_HOSTS", "127.0.0.1")
    otel_mas.instrument(store=tmp_path / "runs.db")
    try:
        with otel_mas.correlation(user="ann"):
            token = otel_context.attach(baggage.set_baggage("tenant", "a"))
            get(f"http://127.0.0.1:{port}/")
            get(f"http://localhost:{port}/")
            otel_context.detach(token)
    finally:
        otel_mas.shutdown(20)
    assert seen == [("127.0.0.1", "user.id=ann,tenant=a"), ("localhost", "tenant=a")]


def test_a_redirect_to_another_host_does_not_take_them_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, echo: Any
) -> None:
    port, seen = echo
    monkeypatch.setenv("OTEL_MAS_BAGGAGE_HOSTS", "127.0.0.1")
    otel_mas.instrument(store=tmp_path / "runs.db")
    try:
        with otel_mas.correlation(user="ann"):
            httpx.get(f"http://127.0.0.1:{port}/away", follow_redirects=True)
    finally:
        otel_mas.shutdown(20)
    assert seen == [("127.0.0.1", "user.id=ann"), ("localhost", None)]


@pytest.mark.parametrize("propagator", [W3CBaggagePropagator(), JaegerPropagator()])
def test_where_nobody_knows_the_host_they_stay_here(store: Path, propagator: Any) -> None:
    carrier: dict[str, str] = {}
    with otel_mas.correlation(user="ann"):
        propagator.inject(carrier)
    assert "ann" not in str(carrier)


@pytest.mark.parametrize(
    ("attributes", "goes"),
    [
        ({"url.full": "http://127.0.0.1:80/a?b"}, True),
        ({"http.url": "https://example.org/"}, False),
        ({"server.address": "localhost"}, True),
        ({"server.address": "::1"}, True),
        ({"net.peer.name": "broker.example.org"}, False),
        ({"server.address": '["localhost:9092", "127.0.0.1:9093"]'}, True),
        ({"server.address": '["localhost:9092", "broker.example.org:9092"]'}, False),
        ({"messaging.url": '["localhost:9092"]'}, True),
        ({"server.address": "[broken"}, False),
        ({"url.full": "http://[broken"}, False),
        ({}, False),
    ],
)
def test_the_host_is_the_one_that_the_client_s_span_names(store: Path, attributes: dict[str, Any], goes: bool) -> None:
    carrier: dict[str, str] = {}
    with (
        otel_mas.correlation(user="ann"),
        trace.get_tracer("client").start_as_current_span("request", attributes=attributes),
    ):
        inject(carrier)
    assert ("baggage" in carrier) is goes


def test_incoming_ids_are_on_the_spans_and_hostile_ones_are_refused(
    store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = f"user.id=ann,session.id={'x' * 300},mas.turn.id=a%0Ab,evil=kept"
    context = extract({"baggage": pairs})
    assert baggage.get_all(context) == {"user.id": "ann", "evil": "kept"}
    with trace.get_tracer("app").start_as_current_span("served", context=context):
        pass
    found = attributes(store)["served"]
    assert found["user.id"] == "ann"
    assert not {"session.id", "mas.turn.id", "evil"} & set(found)
    assert "x" * 300 not in caplog.text


def test_baggage_beyond_the_limits_of_w3c_is_refused_whole(store: Path) -> None:
    too_long = ",".join(f"k{n}={'v' * 100}" for n in range(100))
    assert baggage.get_all(extract({"baggage": f"{too_long},user.id=ann"})) == {}
