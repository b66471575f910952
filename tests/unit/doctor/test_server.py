"""The ports of `otel-mas serve`: nothing there, our own server, or another program."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from otel_mas.doctor.diagnose import diagnose
from otel_mas.doctor.server import Address, Listener, address_of, ask_server, check_server
from tests.serving.server import Server

Ports = tuple[tuple[str, Address], tuple[str, Address], tuple[str, Address]]


def at(grpc: int, http: int, api: int) -> Ports:
    return (
        ("--grpc", ("127.0.0.1", grpc)),
        ("--http", ("127.0.0.1", http)),
        ("--listen", ("127.0.0.1", api)),
    )


def ports_of(server: Server) -> Ports:
    return at(*(address_of(one)[1] for one in (server.grpc, server.http, server.page)))


def test_where_nothing_listens_there_is_nothing_to_report(closed_port: int, tmp_path: Path) -> None:
    forms, findings = check_server(str(tmp_path / "runs.db"), at(closed_port, closed_port, closed_port))
    assert [one["listening"] for one in forms] == [False, False, False]
    assert findings == []


def test_the_server_of_the_store_is_known(tmp_path: Path) -> None:
    with Server(tmp_path / "runs.db") as server:
        forms, findings = check_server(str(tmp_path / "runs.db"), ports_of(server))
    assert [one.code for one in findings] == ["server-answers"]
    assert [(one["listening"], one["otel_mas"]) for one in forms] == [(True, True), (True, True), (True, None)]
    assert forms[0]["location"] == str(tmp_path / "runs.db")


def test_a_server_of_another_store_is_noted_in_the_diagnosis(tmp_path: Path) -> None:
    mine = tmp_path / "mine.db"
    sqlite3.connect(mine).close()
    with Server(tmp_path / "others.db") as server:
        found = diagnose(os.environ, store=str(mine), ports=ports_of(server))
    [note] = [one for one in found.findings if one.code == "server-shows-other"]
    assert f"shows {tmp_path / 'others.db'}, not {mine}" in note.message
    assert found.form["ports"][0]["otel_mas"]


def test_a_server_with_a_token_is_known_and_its_store_is_not(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t" * 32)
    with Server(tmp_path / "runs.db", ("--token-file", str(token))) as server:
        ports = ports_of(server)
        assert ask_server(ports[2][1]).listener is Listener.WITH_TOKEN
        assert check_server(str(tmp_path / "runs.db"), ports)[1] == []


def test_ports_of_other_programs_are_noted_with_the_option_to_change(
    serve: Callable[..., int], closed_port: int, tools: ModuleType
) -> None:
    page = serve(tools.answering("200 OK", b'{"location": "somewhere else"}', "application/json"))
    silent = serve(tools.hanging_up)
    forms, findings = check_server("runs.db", at(silent, closed_port, page))
    assert [one.code for one in findings] == ["server-port-taken", "server-port-taken"]
    assert [one.fix.split()[-2] for one in findings] == ["--grpc", "--listen"]
    assert [one["otel_mas"] for one in forms] == [False, False, None]


def test_a_program_that_says_nothing_is_waited_for_only_so_long(serve: Callable[..., int], tools: ModuleType) -> None:
    assert ask_server(("127.0.0.1", serve(tools.silent)), 0.2).listener is Listener.OTHER
