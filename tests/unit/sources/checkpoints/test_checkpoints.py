"""A `SqliteSaver`'s file as a source: answers, refusals, and errors about other files."""

from __future__ import annotations

import json
import operator
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from click.testing import CliRunner
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

import otel_mas
from otel_mas.cli import cli
from otel_mas.errors import MissingExtra, SourceError, TraceNotFound, UnsupportedQuery
from otel_mas.sources.checkpoints.reader import _connect

THREAD: Any = {"configurable": {"thread_id": "lunch"}}


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]
    secret: object


class Imported:
    """A type of the app's own. Made again while reading, it would run the app's code."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1


def build(saver: SqliteSaver, **options: Any) -> Any:
    graph = StateGraph(State)
    for name in ("plan", "cook", "serve"):
        graph.add_node(name, lambda state, name=name: {"log": [name]})
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "cook")
    graph.add_edge("cook", "serve")
    return graph.compile(checkpointer=saver, **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints.sqlite"


def run(path: Path, what: Callable[[Any], Any], **options: Any) -> None:
    with SqliteSaver.from_conn_string(str(path)) as saver:
        what(build(saver, **options))


def edges(path: Path) -> set[tuple[str, str, str]]:
    with otel_mas.open(f"checkpoints+sqlite://{path}") as source:
        graph = source.conversation("lunch").graph()
    labels = graph.labels()
    return {(labels[edge.cause], edge.kind, labels[edge.effect]) for edge in graph.control_edges()}


def test_a_path_alone_is_recognised_by_its_content(path: Path) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD))
    with otel_mas.open(path) as source:
        (summary,) = source.traces()
    assert (summary.conversation_id, summary.status, summary.span_count) == ("lunch", "ok", 4)


def test_reading_changes_nothing(path: Path) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD))
    sqlite3.connect(path).execute("PRAGMA journal_mode=DELETE").close()
    before = path.read_bytes()
    edges(path)
    assert path.read_bytes() == before
    assert sorted(path.parent.iterdir()) == [path]


def test_checkpoints_written_later_are_seen(path: Path) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD))
    with otel_mas.open(f"checkpoints+sqlite://{path}") as source:
        assert len(source.traces()) == 1
        run(path, lambda graph: graph.invoke({"log": []}, THREAD))
        assert len(source.traces()) == 2


def test_a_breakpoint_and_an_update_from_outside_are_invocations_of_their_own(path: Path) -> None:
    def paused_before_cook(graph: Any) -> None:
        graph.invoke({"log": []}, THREAD)
        graph.update_state(THREAD, {"log": ["take-away"]}, as_node="cook")
        graph.invoke(None, THREAD)

    run(path, paused_before_cook, interrupt_before=["cook"])
    assert edges(path) == {("cook#1", "trigger", "serve#1")}
    with otel_mas.open(path) as source:
        resumed, update, paused = source.traces()
    assert [one.name for one in (paused, update, resumed)] == [
        "invoke_workflow",
        "update_state cook",
        "invoke_workflow",
    ]
    assert paused.status == "interrupted"
    assert paused.incomplete is not None
    assert "cook was due" in paused.incomplete


def test_time_travel_runs_again_from_the_old_checkpoint(path: Path) -> None:
    def twice(graph: Any) -> None:
        graph.invoke({"log": []}, THREAD)
        (old,) = (state for state in graph.get_state_history(THREAD) if state.next == ("cook",))
        graph.invoke(None, old.config)

    run(path, twice)
    assert edges(path) == {
        ("plan#1", "trigger", "cook#1"),
        ("cook#1", "trigger", "serve#1"),
        ("plan#1", "trigger", "cook#2"),
        ("cook#2", "trigger", "serve#2"),
    }
    with otel_mas.open(path) as source:
        assert len(source.traces()) == 2


def test_steps_that_were_not_saved_are_reported_as_missing(path: Path) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD, durability="exit"))
    with otel_mas.open(path) as source:
        (summary,) = source.traces()
        assert summary.incomplete is not None
        assert "its steps were not kept" in summary.incomplete
        assert summary.span_count == 1


def test_nothing_of_the_app_is_imported_or_made(path: Path) -> None:
    run(path, lambda graph: graph.invoke({"log": [], "secret": Path("/app")}, THREAD))
    connection = sqlite3.connect(path)
    import ormsgpack

    kind = ormsgpack.packb((__name__, "Imported", ()))
    hostile = ormsgpack.packb({"log": ormsgpack.Ext(1, kind)})
    (row,) = connection.execute("SELECT MAX(checkpoint_id) FROM checkpoints").fetchall()
    whole = connection.execute("SELECT checkpoint FROM checkpoints WHERE checkpoint_id = ?", row).fetchone()[0]
    state = ormsgpack.unpackb(whole, ext_hook=lambda code, data: None)
    made = ormsgpack.Ext(1, kind)
    state["channel_values"] = {"__pregel_tasks": made, "branch:to:x": ormsgpack.Ext(0, hostile)}
    changed = (ormsgpack.packb(state), *row)
    connection.execute("UPDATE checkpoints SET checkpoint = ? WHERE checkpoint_id = ?", changed)
    connection.commit()
    edges(path)
    assert Imported.made == 0


@pytest.mark.parametrize(
    ("query", "message"),
    [({"service": "s"}, "service"), ({"agent": "chef"}, "agent_name|agent"), ({"run": "1"}, "run_id")],
)
def test_a_query_by_what_checkpoints_do_not_hold_is_refused(path: Path, query: dict[str, str], message: str) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD))
    with otel_mas.open(path) as source, pytest.raises(UnsupportedQuery, match=message):
        source.traces(**query)  # type: ignore[arg-type]


def test_traces_are_listed_newest_first_and_found_by_their_id(path: Path) -> None:
    def several(graph: Any) -> None:
        for thread in ("a", "b", "a"):
            graph.invoke({"log": []}, {"configurable": {"thread_id": thread}})

    run(path, several)
    with otel_mas.open(path) as source:
        assert [one.conversation_id for one in source.traces()] == ["a", "b", "a"]
        assert [one.conversation_id for one in source.traces(limit=1)] == ["a"]
        oldest = source.traces()[-1]
        assert source.trace(oldest.trace_id).trace_id == oldest.trace_id
        with pytest.raises(TraceNotFound):
            source.trace("0" * 32)


# -- what a newcomer gives ------------------------------------------------------------------------------------------


def test_a_path_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no file at .*nothing\.db: give the path that SqliteSaver"):
        otel_mas.open(f"checkpoints+sqlite://{tmp_path}/nothing.db")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("buy milk")
    with pytest.raises(SourceError, match=r"notes\.txt is no SQLite file"):
        otel_mas.open(f"checkpoints+sqlite://{tmp_path}/notes.txt")
    with pytest.raises(SourceError, match="is no SQLite file"):
        otel_mas.open(f"checkpoints+sqlite://{tmp_path}")


def test_a_database_without_checkpoints(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE writes (x)")
    with pytest.raises(SourceError, match="no table checkpoints"):
        otel_mas.open(f"checkpoints+sqlite://{path}")


def test_checkpoints_that_are_encrypted_or_damaged(path: Path) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD))
    connection = sqlite3.connect(path)
    for kind, value, message in (("msgpack+aes", b"x", "encrypted"), ("msgpack", b"\xc1", "cannot be read")):
        connection.execute("UPDATE checkpoints SET type = ?, checkpoint = ?", (kind, value))
        connection.commit()
        with otel_mas.open(path) as source, pytest.raises(SourceError, match=message):
            source.traces()


def test_without_langgraph_the_error_names_the_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD))
    monkeypatch.setitem(sys.modules, "ormsgpack", None)
    with (
        otel_mas.open(f"checkpoints+sqlite://{path}") as source,
        pytest.raises(MissingExtra, match=r"pip install 'otel-mas\[langgraph\]'"),
    ):
        source.traces()


@pytest.mark.parametrize(
    "command",
    [["traces"], ["show"], ["graph"], ["critical-path"], ["graph", "--conversation", "lunch"], ["cost"]],
    ids=" ".join,
)
def test_every_command_reads_checkpoints(path: Path, command: list[str]) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD))
    result = CliRunner().invoke(cli, [*command, "--from", f"checkpoints+sqlite://{path}"])
    assert result.exit_code == 0, result.output


def test_a_command_refuses_such_a_query_in_one_line(path: Path) -> None:
    run(path, lambda graph: graph.invoke({"log": []}, THREAD))
    result = CliRunner().invoke(cli, ["traces", "--service", "s", "--from", f"checkpoints+sqlite://{path}"])
    assert result.exit_code != 0
    assert "cannot select traces by service" in result.output


# -- files that somebody made to do harm, or that are damaged ---------------------------------------------------------

ID = "1f0e7000-0000-6000-8000-000000000001"
STATE = {"v": 4, "ts": "2026-01-01T00:00:00+00:00", "channel_values": {}, "channel_versions": {}, "versions_seen": {}}
COLUMNS = "thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata"
WRITES = "CREATE TABLE writes (thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value)"


def saved(
    path: Path, *, metadata: str = '{"step": -1, "source": "input"}', parent: str | None = None, **state: Any
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE checkpoints ({COLUMNS})")
        connection.execute(WRITES)
        row = ("t", "", ID, parent, "json", json.dumps(STATE | state), metadata)
        connection.execute("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)", row)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"parent": ID}, f"thread t: the parent of checkpoint {ID} was not made before it"),
        ({"metadata": '{"step": 1e999}'}, f"checkpoint {ID} of thread t"),
        ({"metadata": "[1]"}, f"checkpoint {ID} of thread t"),
        ({"ts": 5}, f"checkpoint {ID} of thread t"),
        ({"channel_versions": [1]}, f"checkpoint {ID} of thread t"),
        ({"versions_seen": {"a": 5}}, f"checkpoint {ID} of thread t"),
    ],
)
def test_a_damaged_checkpoint_is_named_in_one_line(path: Path, given: dict[str, Any], where: str) -> None:
    saved(path, **given)
    result = CliRunner().invoke(cli, ["graph", "--conversation", "t", "--from", f"checkpoints+sqlite://{path}"])
    assert result.exit_code == 1
    assert where in result.output
    assert "is damaged" in result.output
    assert len(result.output.splitlines()) == 1
    assert "Error(" not in result.output


@pytest.mark.parametrize("channel", [None, 5, b"x"])
def test_a_write_to_a_channel_that_is_no_text_is_damage(path: Path, channel: Any) -> None:
    saved(path)
    with sqlite3.connect(path) as connection:
        row = ("t", "", ID, "t1", 0, channel, "json", "1")
        connection.execute("INSERT INTO writes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    with otel_mas.open(path) as source, pytest.raises(SourceError, match=f"damaged: checkpoint {ID} of thread t"):
        source.traces()


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_checkpoint_of_any_time_is_shown(path: Path, time: str) -> None:
    saved(path, ts=time)
    for command in (["traces"], ["show"], ["graph"]):
        result = CliRunner().invoke(cli, [*command, "--from", f"checkpoints+sqlite://{path}"])
        assert result.exit_code == 0, result.output


def test_computed_columns_are_refused_and_no_value_is_larger_than_the_bound(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        computed = COLUMNS.replace(" checkpoint,", " checkpoint AS (zeroblob(900000000)),")
        connection.execute(f"CREATE TABLE checkpoints ({computed})")
        connection.execute(WRITES)
    with pytest.raises(SourceError, match="computed or hidden columns in its table checkpoints"):
        otel_mas.open(f"checkpoints+sqlite://{path}")
    with closing(_connect(path)) as connection, pytest.raises(sqlite3.DataError, match="too big"):
        connection.execute("SELECT zeroblob(900000000)").fetchall()


def test_views_and_virtual_tables_are_no_checkpoints(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE VIRTUAL TABLE checkpoints USING fts5({COLUMNS})")
        connection.execute(WRITES)
    with pytest.raises(SourceError, match="no table checkpoints"):
        otel_mas.open(f"checkpoints+sqlite://{path}")
