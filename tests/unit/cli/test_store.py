"""`otel-mas store`, and what every command says of a damaged store."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otel_mas.cli import cli

READING = (
    ("traces",), ("show", "--json"), ("graph",), ("critical-path",), ("cost",), ("export", "--all"), ("ship", "status"),
    ("store", "stats"), ("store", "check"), ("store", "compact"), ("store", "prune", "--status", "error", "--dry-run"),
)  # fmt: skip


def run(*words: str, on: Path) -> Result:
    return CliRunner().invoke(cli, [*words, "--store", str(on)])


def test_stats_describe_the_store(store: Path) -> None:
    text = run("store", "stats", on=store).output
    document = json.loads(run("store", "stats", "--json", on=store).output)
    assert str(store) in text
    assert f"spans      {document['spans']}" in text
    assert document["traces"] == 2
    assert document["file_bytes"] == store.stat().st_size
    assert (document["recording"], document["dropped"]) == ([], [])


def test_check_finds_damage_and_repair_mends_it(store: Path) -> None:
    assert run("store", "check", on=store).exit_code == 0
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute("UPDATE traces SET errors = 99")
    found = run("store", "check", on=store)
    assert found.exit_code == 1
    assert "the summaries of 2 traces do not fit their spans\n" in found.output
    assert json.loads(CliRunner().invoke(cli, ["store", "check", "--json", "--store", str(store)]).stdout)["problems"]
    assert "saved 2 traces" in run("store", "repair", on=store).output
    mended = store.with_name("team.repaired.db")
    assert run("store", "check", on=mended).exit_code == 0


def test_prune_lists_asks_and_deletes(store: Path) -> None:
    assert run("store", "prune", on=store).exit_code == 2
    assert "would be deleted" in run("store", "prune", "--older-than", "1s", "--dry-run", on=store).output
    refused = CliRunner().invoke(cli, ["store", "prune", "--older-than", "1s", "--store", str(store)], input="n\n")
    assert refused.exit_code == 1
    assert "deleted" not in refused.output
    assert "nothing to delete" in run("store", "prune", "--max-size", "1GB", on=store).output
    assert "deleted 2 traces\n" in run("store", "prune", "--max-size", "1B", "--yes", on=store).output
    assert json.loads(run("store", "stats", "--json", on=store).output)["traces"] == 0


@pytest.mark.parametrize("seed", range(6))
def test_every_command_reports_a_damaged_store_in_one_line_and_never_as_a_bug(store: Path, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(store.read_bytes())
    if seed % 3 == 0:
        page = chance.randrange(len(data) // 8192)
        data[page * 8192 : (page + 1) * 8192] = bytes(8192)
    elif seed % 3 == 1:
        for _ in range(60):
            data[chance.randrange(len(data))] = chance.randrange(256)
    else:
        data = data[: chance.randrange(len(data))]
    for words in READING:
        store.write_bytes(data)
        for suffix in ("-wal", "-shm"):
            store.with_name(store.name + suffix).unlink(missing_ok=True)
        found = run(*words, on=store)
        assert found.exit_code in (0, 1, 4), (words, found.output)
        assert "Traceback" not in found.output


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE spans SET start_ns = 'soon'",
        "UPDATE spans SET name = x'ff'",
        "UPDATE spans SET parent_span_id = 'x'",
        "UPDATE traces SET trace_id = 'x'",
        "UPDATE traces SET cost_usd = x'00', conversation = x'00'",
        "UPDATE contents SET value = 'no json'",
        "UPDATE messages SET body = x'ff'",
        "UPDATE resources SET body = x'ffff', service = 4",
        "UPDATE spans SET body = x'ffff'",
        "DROP TABLE message_lists",
    ],
)
def test_values_that_are_not_what_was_written_are_damage_too(store: Path, damage: str) -> None:
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        connection.execute(damage.replace("UPDATE ", "UPDATE OR IGNORE "))
    for words in READING:
        found = run(*words, on=store)
        assert found.exit_code in (0, 1, 4), (words, found.output)
        assert "Traceback" not in found.output
