"""The handle on a source: asking, finding, refusing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

import otel_mas
from otel_mas.api import Source
from otel_mas.errors import NotAStore, StoreError, TraceNotFound, UnknownSource, UnsupportedQuery
from otel_mas.model import Query, TraceSummary
from otel_mas.sources import Capabilities


class Asked:
    """A source that remembers what it was asked, and can do what its capabilities say."""

    location = "asked://"

    def __init__(self, **capabilities: Any) -> None:
        self.capabilities = Capabilities(**capabilities)
        self.queries: list[Query] = []

    def traces(self, query: Query) -> Sequence[TraceSummary]:
        self.queries.append(query)
        return []


def source(port: Any) -> Source:
    return Source(port)


@pytest.fixture
def opened(store: Path) -> Iterator[Source]:
    with otel_mas.open(store) as found:
        yield found


def test_the_default_is_the_store_of_the_settings(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_MAS_STORE", str(store))
    with otel_mas.open() as found:
        assert found.location == str(store)


def test_no_store_yet_says_how_to_make_one() -> None:
    with pytest.raises(NotAStore, match="otel-mas run"):
        otel_mas.open()


def test_conditions_are_handed_on_in_ns() -> None:
    port = Asked(filters=frozenset({"service", "agent", "status", "min_duration_ns"}))
    source(port).traces(service="s", agent="a", status="error", min_duration="2s", limit=3)
    assert port.queries == [Query(service="s", agent="a", status="error", min_duration_ns=2 * 10**9, limit=3)]


def test_what_a_source_cannot_select_by_is_refused_not_approximated() -> None:
    port = Asked(filters=frozenset({"service"}))
    with pytest.raises(UnsupportedQuery, match="cannot select traces by agent, status, only by service"):
        source(port).traces(service="s", agent="a", status="ok")
    assert port.queries == []


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"status": "bad"}, "no trace has the status 'bad': ask for one of ok, interrupted, error, cancelled"),
        ({"min_duration": "2 parsecs"}, "is not a duration"),
        ({"since": "once"}, "neither a duration nor a time"),
        ({"limit": 0}, "give 1 or more"),
    ],
)
def test_a_condition_that_means_nothing_is_refused(asked: dict[str, Any], text: str) -> None:
    with pytest.raises(UnsupportedQuery, match=text):
        source(Asked()).traces(**asked)


def test_less_than_an_id_is_refused_where_only_full_ids_are_found() -> None:
    with pytest.raises(UnsupportedQuery, match="full id only"):
        source(Asked()).trace("4bf9")


def test_conversations_and_runs_are_refused_where_they_are_not_known() -> None:
    with pytest.raises(UnsupportedQuery, match="cannot find conversations"):
        source(Asked()).conversation("1")
    with pytest.raises(UnsupportedQuery, match="does not know runs"):
        source(Asked()).run("1")


def test_a_trace_is_found_by_the_beginning_of_its_id(opened: Source, team: ModuleType) -> None:
    assert opened.trace("4BF9").trace_id == team.FIRST
    with pytest.raises(TraceNotFound, match="no trace abcdef"):
        opened.trace("abcdef")


def test_the_latest_trace_is_the_one_that_started_last(opened: Source, team: ModuleType) -> None:
    assert opened.latest().trace_id == team.SECOND


def test_an_empty_store_has_no_latest_trace(team: ModuleType, tmp_path: Path) -> None:
    with otel_mas.open(team.write(tmp_path / "empty.db", traces=[])) as found:
        assert found.traces() == []
        with pytest.raises(TraceNotFound, match="otel-mas run"):
            found.latest()


def test_filters_reach_the_store(opened: Source, team: ModuleType) -> None:
    def ids(**asked: Any) -> list[str]:
        return [summary.trace_id for summary in opened.traces(**asked)]

    assert ids(status="interrupted") == [team.FIRST]
    assert ids(agent="researcher") == [team.FIRST]
    assert ids(min_duration="2s") == [team.FIRST]
    assert ids(conversation=team.THREAD, limit=1) == [team.SECOND]
    assert ids(service="nobody") == []


def test_a_conversation_holds_its_traces_oldest_first(opened: Source, team: ModuleType) -> None:
    found = opened.conversation(team.THREAD)
    assert [trace.trace_id for trace in found.traces] == [team.FIRST, team.SECOND]
    assert len(found.spans) == 27
    assert repr(found) == "<Conversation 'demo-1' of 'research-team', 2 traces>"


def test_a_thread_of_several_services_asks_whose(store: Path, team: ModuleType) -> None:
    other = team.TraceBuilder("77" * 16)
    other.workflow(0, 10, "ok")
    team.write(store, run_id="run-2", traces=[other.trace()], service="other-app")
    with otel_mas.open(store) as found:
        with pytest.raises(UnsupportedQuery, match=r"several services .*'demo-1': other-app, research-team"):
            found.conversation(team.THREAD)
        assert len(found.conversation(team.THREAD, "other-app").traces) == 1
        with pytest.raises(TraceNotFound, match="of service 'nobody'"):
            found.conversation(team.THREAD, "nobody")


def test_an_unknown_conversation_is_one_clear_error(opened: Source) -> None:
    with pytest.raises(TraceNotFound, match="no conversation 'thread-9'"):
        opened.conversation("thread-9")


def test_arguments_that_mean_nothing_are_no_damage_of_the_store(opened: Source) -> None:
    with pytest.raises(UnsupportedQuery, match="cannot be written as UTF-8"):
        opened.conversation("\ud800")
    with pytest.raises(UnsupportedQuery, match="limit is -1"):
        opened.sql("SELECT 1", limit=-1)
    for ask in (opened.search, opened.sql):
        with pytest.raises(TypeError, match="it must be a str"):
            ask(3)  # type: ignore[operator]
    for limit in (10**30, 1.5):
        with pytest.raises(TypeError, match="it must be an int"):
            opened.traces(limit=limit)  # type: ignore[arg-type]


def test_one_log_is_asked_for_and_not_one_of_two(opened: Source) -> None:
    with pytest.raises(UnsupportedQuery, match="conversation and since each say which log"):
        opened.log(conversation="one", since="1h")
    with pytest.raises(UnsupportedQuery, match="trace_id and conversation each"):
        opened.log("abcd", conversation="one")


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.msgpack", "runs.json.gz"])
def test_a_file_that_is_no_export_is_not_called_a_store(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownSource, match="there is no file"):
        otel_mas.open(tmp_path / name)
    for content, words in ((b"", "is empty: no trace was written"), (b"hello", "neither OTLP nor trace records")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UnknownSource, match=words):
            otel_mas.open(tmp_path / name)


def test_what_the_console_exporter_printed_is_called_what_it_is(tmp_path: Path) -> None:
    span = TracerProvider().get_tracer("app").start_span("step")
    span.end()
    (tmp_path / "spans.json").write_text(cast(ReadableSpan, span).to_json())
    with pytest.raises(UnknownSource, match="ConsoleSpanExporter"):
        otel_mas.open(tmp_path / "spans.json")


def test_after_the_with_block_it_is_closed_and_says_so(store: Path) -> None:
    with otel_mas.open(store) as found:
        assert repr(found) == f"<Source {store}>"
    assert repr(found) == f"<Source {store} (closed)>"
    with pytest.raises(StoreError, match="closed"):
        found.traces()
