"""Answers of the API: their form, tags and compression, cursors, and errors of requests."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.testclient import TestClient

import otel_mas
from otel_mas.api import Source
from otel_mas.cli import cli
from otel_mas.report.json.query import ROWS
from otel_mas.server.api import create_app
from otel_mas.server.api.app import all_endpoints
from otel_mas.server.api.endpoints import Endpoint
from tests.unit.server.conftest import add

Get = Callable[..., Any]
API = "/api/v1"
RUN = "/traces/{trace_id}"
GIVEN = {
    "/why-not": "?agent=writer",
    "/metrics": "?name=duration&by=agent&window=1d",
    "/search": "?text=the",
    "/what-if": "?barriers=false",
}
"""Parameters that an endpoint needs."""


def _validator(document: dict[str, Any], path: str, method: str = "get") -> Draft202012Validator:
    content = document["paths"][path.replace(":path}", "}")][method]["responses"]["200"]["content"]
    schema = content["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": document["components"]})


@pytest.mark.parametrize("path", [path for path, one in all_endpoints() if one.method == "get"])
def test_every_answer_about_every_run_has_the_form_that_the_openapi_document_describes(
    path: str, get: Get, client: TestClient
) -> None:
    validator = _validator(get("/openapi.json"), path)
    for url in _urls(path, get):
        response = client.get(API + url)

        assert response.status_code == 200, (url, response.text)
        assert [error.message for error in validator.iter_errors(response.json())] == [], url


def _urls(path: str, get: Get) -> set[str]:
    """The path with the ids of each run."""
    given = next((words for end, words in GIVEN.items() if path.endswith(end)), "")
    if path == "/compare":
        ids = [trace["trace_id"] for trace in get("/traces")["traces"]]
        return {f"/compare?a={a}&b={b}" for a, b in pairwise(ids)}
    urls = set()
    for trace in get("/traces")["traces"]:
        thread = trace["conversation_id"]
        if "{thread" in path and thread is None:
            continue
        spans = get(f"/traces/{trace['trace_id']}/picture")["spans"]["id"]
        url = path.replace("{trace_id}", trace["trace_id"]).replace("{thread:path}", quote(str(thread), safe=""))
        urls.add(url.replace("{span:path}", spans[len(spans) // 2]) + given)
    return urls


def test_compared_runs_have_the_outcomes_that_the_list_of_traces_has(get: Get) -> None:
    traces = [one for one in get("/traces")["traces"] if one["status"] not in ("running", "stopped", "unknown")]
    statuses = {one["trace_id"]: one["status"] for one in traces}
    assert len(set(statuses.values())) > 1
    for a, b in pairwise(statuses):
        found = get("/compare", a=a, b=b)
        assert [found["a"]["outcome"], found["b"]["outcome"]] == [statuses[a], statuses[b]]


@pytest.mark.parametrize("name", ["graph", "critical-path", "cost"])
def test_an_answer_is_that_of_the_command_line(name: str, get: Get, runs: Path) -> None:
    for trace in get("/traces")["traces"]:
        done = CliRunner().invoke(cli, [name, trace["trace_id"], "--json", "--store", str(runs)])

        assert get(f"/traces/{trace['trace_id']}/{name}") == json.loads(done.stdout)


def test_a_trace_is_found_by_the_beginning_of_its_id(get: Get) -> None:
    trace = get("/traces")["traces"][0]

    assert get(f"/traces/{trace['trace_id'][:12]}") == trace


def test_a_list_goes_on_where_its_cursor_says_though_new_traces_come(archives: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "grows.db"
    for archive in archives:
        add(archive, path)
    with otel_mas.open(path) as source, TestClient(create_app(source)) as client:
        whole = [one["trace_id"] for one in client.get(f"{API}/traces").json()["traces"]]
        found: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            page = client.get(f"{API}/traces", params={"limit": 2, **cursor}).json()
            found += [one["trace_id"] for one in page["traces"]]
            _add_trace(path, f"{len(found):032x}")
            if page["next"] is None:
                break
            cursor = {"cursor": page["next"]}

    assert found == whole
    assert len(whole) > 4


def _add_trace(store: Path, trace_id: str) -> None:
    """A trace that starts now, later than all others."""
    now = time.time_ns()
    span = {"traceId": trace_id, "spanId": trace_id[-16:], "name": "new", "kind": 1}
    times = {"startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1)}
    file = store.with_name(f"{trace_id}.jsonl")
    file.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{**span, **times}]}]}]}) + "\n")
    add(file, store)


def test_an_answer_that_the_client_has_is_not_sent_again(client: TestClient, get: Get) -> None:
    url = f"{API}/traces/{get('/traces')['traces'][0]['trace_id']}/picture"
    first = client.get(url)

    again = client.get(url, headers={"If-None-Match": first.headers["ETag"]})
    other = client.get(url, headers={"If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert (other.status_code, other.content) == (200, first.content)


def test_an_answer_is_compressed_for_those_who_take_it(client: TestClient) -> None:
    plain = client.get(f"{API}/openapi.json", headers={"Accept-Encoding": "identity"})
    refused = client.get(f"{API}/openapi.json", headers={"Accept-Encoding": "gzip;q=0"})
    with client.stream("GET", f"{API}/openapi.json", headers={"Accept-Encoding": "br, gzip"}) as response:
        raw = b"".join(response.iter_raw())

    assert "Content-Encoding" not in plain.headers
    assert refused.content == plain.content
    assert response.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content) / 3


@pytest.mark.parametrize(
    ("url", "code", "words"),
    [
        ("/traces?limit=many", "bad_request", "limit is 'many'"),
        ("/traces?limit=0", "bad_request", "give 1 to 500"),
        ("/traces?limit=501", "bad_request", "give 1 to 500"),
        ("/traces?limit=1e99", "bad_request", "limit is"),
        ("/traces?limit=None", "bad_request", "limit is"),
        ("/traces?limit=1&limit=2", "bad_request", "given 2 times"),
        ("/traces?color=red", "bad_request", "no parameter is called 'color': there are limit, cursor, status"),
        ("/traces?attribute=x", "bad_request", "write KEY=VALUE"),
        ("/traces?agent=%00", "bad_request", "NUL"),
        ("/traces?agent=", "unsupported", "agent is empty"),
        ("/traces?agent=" + "x" * 5000, "bad_request", "longer than 4,000"),
        ("/traces?status=odd", "unsupported", "ask for one of ok"),
        ("/traces?since=yesterday", "unsupported", "neither a duration nor a time"),
        ("/traces?cursor=x", "bad_request", "did not hand out"),
        ("/traces?cursor=W10", "bad_request", "did not hand out"),
        ("/traces?cursor=WyJhIiwyXQ", "bad_request", "did not hand out"),
        ("/traces/xyz/graph", "not_found", "no trace id"),
        ("/traces/00000000000000000000000000000000/graph", "not_found", "no trace"),
        (RUN + "/spans/nobody", "not_found", "no span and no task"),
        (RUN + "/why-not", "bad_request", "agent is missing"),
        (RUN + "/findings?code=none", "unsupported", "none"),
        (RUN + "/nothing", "not_found", "openapi.json"),
        ("/conversations/none/graph", "not_found", "no conversation 'none'"),
    ],
)
def test_a_request_that_means_nothing_is_refused_in_words(
    url: str, code: str, words: str, client: TestClient, get: Get
) -> None:
    trace_id = get("/traces")["traces"][0]["trace_id"]

    response = client.get(API + url.replace("{trace_id}", trace_id))

    assert response.json()["error"]["code"] == code
    assert words in response.json()["error"]["message"]
    assert response.status_code == (404 if code == "not_found" else 400)


def test_a_method_that_a_path_has_not_is_refused_in_the_same_form(client: TestClient) -> None:
    response = client.delete(f"{API}/traces")

    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")


@pytest.fixture
def judged(store: Path) -> Iterator[tuple[TestClient, str]]:
    """The API over a store of its own, and the path of the feedback on a span in it."""
    with otel_mas.open(store) as source, TestClient(create_app(source)) as client:
        trace_id = client.get(f"{API}/traces").json()["traces"][0]["trace_id"]
        span = client.get(f"{API}/traces/{trace_id}/picture").json()["spans"]["id"][1]
        yield client, f"{API}/traces/{trace_id}/spans/{span}/feedback"


def test_feedback_is_recorded_as_by_mark_and_seen_in_the_next_answer(judged: tuple[TestClient, str]) -> None:
    client, path = judged
    trace = path.partition("/spans")[0]
    before = client.get(f"{trace}/picture")

    answer = client.post(path, json={"label": "wrong", "score": 0.0, "reason": "no figures", "author": "me"})

    assert answer.status_code == 200, answer.text
    span = client.get(f"{trace}/spans/{answer.json()['span_id']}").json()["spans"][0]
    assert "no figures" in json.dumps(span)
    again = client.get(f"{trace}/picture", headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 200
    assert answer.json()["span_id"] in again.json()["spans"]["id"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        (b'{"label": "wrong"}', "text/plain", 415, "application/json"),
        (b"{", "application/json", 400, "no JSON"),
        (b"[]", "application/json", 400, "the body"),
        (b"{}", "application/json", 400, "a judgement is missing"),
        (b'{"label": null}', "application/json", 400, "a judgement is missing"),
        (b'{"label": 3}', "application/json", 400, "label: input should be a valid string"),
        (b'{"score": "high"}', "application/json", 400, "score: input should be a valid number"),
        (b'{"score": 1e999}', "application/json", 400, ""),
        (b'{"label": "x", "colour": "red"}', "application/json", 400, "colour: extra inputs"),
        (b'{"label": "' + b"x" * 70_000 + b'"}', "application/json", 413, "longer than"),
        (b'{"label": "\xff"}', "application/json", 400, "no JSON"),
    ],
)
def test_feedback_that_means_nothing_is_refused_in_words(
    judged: tuple[TestClient, str], body: bytes, kind: str, status: int, words: str
) -> None:
    client, path = judged

    response = client.post(path, content=body, headers={"Content-Type": kind})

    assert response.status_code == status, response.text
    assert words in response.json()["error"]["message"]


def test_the_log_goes_on_where_its_cursor_says(get: Get) -> None:
    trace_id = next(one["trace_id"] for one in get("/traces")["traces"] if one["span_count"] > 20)
    path = f"/traces/{trace_id}/log"
    whole = get(path, limit=1000)["entries"]
    found, cursor = [], {}
    while True:
        page = get(path, limit=3, **cursor)
        found += page["entries"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert found == whole
    assert len(whole) > 6


def test_a_span_as_otlp_can_be_imported_again(get: Get, tmp_path: Path) -> None:
    trace_id = get("/traces")["traces"][0]["trace_id"]
    ids = get(f"/traces/{trace_id}/picture")["spans"]["id"]
    file = tmp_path / "spans.jsonl"
    file.write_text("".join(json.dumps(get(f"/traces/{trace_id}/spans/{one}/otlp")) + "\n" for one in ids))

    add(file, tmp_path / "again.db")

    with otel_mas.open(tmp_path / "again.db") as source, TestClient(create_app(source)) as client:
        for one in ids:
            again = client.get(f"{API}/traces/{trace_id}/spans/{one}/otlp").json()
            assert again == get(f"/traces/{trace_id}/spans/{one}/otlp")


def test_openapi_is_valid(get: Get) -> None:
    validate(get("/openapi.json"))


_VALUES = st.one_of(
    st.text(max_size=20),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["None", "null", "true", "", "-1", "1e309", "a=b", "=", "W10", "\ud800", "1h", "9" * 30, "latest"]),
    st.sampled_from(["writer", "writer=2", "duration", "agent", "+1s", "supervisor,writer", "run"]),
)
_ENDPOINTS = st.sampled_from([(path, one) for path, one in all_endpoints() if one.method == "get"])


@given(where=_ENDPOINTS, whole=st.booleans(), data=st.data())
@settings(max_examples=200)
def test_whatever_is_asked_is_answered_or_refused_in_words(
    shared: TestClient, where: tuple[str, Endpoint], whole: bool, data: st.DataObject
) -> None:
    path, endpoint = where
    known = shared.get(f"{API}/traces").json()["traces"][0]
    for place, value in (("{trace_id}", known["trace_id"]), ("{thread:path}", "t"), ("{span:path}", "x")):
        if place in path:
            path = path.replace(place, _quoted(value if whole else data.draw(_VALUES)))
    names = st.sampled_from([*endpoint.parameters, "x"])
    given = data.draw(st.lists(st.tuples(names, _VALUES), max_size=4))
    given += [(name, "x") for name, one in endpoint.parameters.items() if one.required and data.draw(st.booleans())]
    query = "&".join(f"{name}={_quoted(value)}" for name, value in given)

    response = shared.get(f"{API}{path}?{query}")

    assert response.status_code in (200, 400, 404), response.text
    if response.status_code != 200:
        assert response.json()["error"]["message"]


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


@pytest.fixture(scope="module")
def shared(runs: Path) -> Iterator[TestClient]:
    with otel_mas.open(runs) as source, TestClient(create_app(source)) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "question"),
    [
        ("/topology", lambda source: source.topology()),
        ("/variants?loops=true", lambda source: source.variants(loops=True)),
        ("/rare-paths?below=0.9", lambda source: source.rare_paths(below=0.9)),
        ("/hot-spots?workflow=nobody", lambda source: source.hot_spots(workflow="nobody")),
    ],
)
def test_patterns_of_many_runs_are_those_of_the_handle(
    runs: Path, shared: TestClient, path: str, question: Callable[[Source], Any]
) -> None:
    with otel_mas.open(runs) as source:
        answer = question(source)

    found = shared.get(API + path).json()
    assert found[answer.name] == [ROWS[answer.name](one) for one in answer]
    assert found["limited"] is answer.limited
    assert shared.get(f"{API}/rare-paths?below=2").status_code == 400


@pytest.mark.parametrize("path", ["/search?text=the", "/statistics", "/topology", "/metrics?name=errors"])
def test_a_long_question_waits_for_no_other_and_keeps_none_waiting(runs: Path, path: str) -> None:
    with (
        otel_mas.open(runs) as source,
        TestClient(create_app(source)) as client,
        ThreadPoolExecutor(1) as pool,
        source._port._lock,  # type: ignore[attr-defined]  # another answer reads
    ):
        response = pool.submit(client.get, API + path).result(timeout=60)

    assert response.status_code == 200
