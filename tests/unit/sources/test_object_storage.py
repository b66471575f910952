"""Object storage as a source: a real S3 server on this machine, spoken to by fsspec."""

from __future__ import annotations

import gzip
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner
from moto.server import ThreadedMotoServer

import otel_mas
from otel_mas.cli import cli
from otel_mas.errors import MissingExtra, SourceError
from otel_mas.sources.object_storage import S3

pytestmark = pytest.mark.slow  # the libraries of S3 take seconds to import
ANSWERS = Path(__file__).resolve().parents[2] / "answers"
EXAMPLE = ANSWERS / "example_team.jsonl.gz"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of an S3 server, empty at first."""
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket `traces` with two archives and a note, and the environment that leads to it."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    fsspec.filesystem("s3").clear_instance_cache()
    storage = fsspec.filesystem("s3")
    storage.mkdir("traces")
    storage.put_file(str(EXAMPLE), "traces/2026/team.jsonl.gz")
    storage.pipe_file("traces/2026/11/desk.jsonl", gzip.decompress((ANSWERS / "newsdesk.jsonl.gz").read_bytes()))
    storage.pipe_file("traces/2026/note.txt", b"nothing to see")
    yield storage
    storage.rm("traces", recursive=True)
    storage.clear_instance_cache()


@pytest.mark.parametrize(
    ("target", "services"),
    [
        ("s3://traces/2026/*.jsonl.gz", {"research-team"}),
        ("s3://traces/2026/team.jsonl.gz", {"research-team"}),
        ("s3://traces/**/*.jsonl*", {"research-team", "newsdesk"}),
        ("s3://traces/2026", {"research-team", "newsdesk"}),
        ("s3://traces", {"research-team", "newsdesk"}),
    ],
)
def test_an_object_a_prefix_and_a_pattern_are_read_as_files_are(bucket: Any, target: str, services: set[str]) -> None:
    with otel_mas.open(target) as source:
        assert source.location == target
        assert {one.service for one in source.traces()} == services


def test_answers_are_those_of_the_file(bucket: Any) -> None:
    with otel_mas.open("s3://traces/2026/team.jsonl.gz") as there, otel_mas.open(EXAMPLE) as here:
        remote, local = there.conversation("tram"), here.conversation("tram")
        assert remote.final_output() == local.final_output()
        assert [span.span_id for span in remote.spans] == [span.span_id for span in local.spans]
        assert len(there.search("Elmstead")) == len(here.search("Elmstead")) > 0


def test_what_was_downloaded_goes_with_the_source(bucket: Any) -> None:
    source = otel_mas.open("s3://traces/2026/team.jsonl.gz")
    folder = Path(source._port._folder.name)  # type: ignore[attr-defined]
    assert folder.stat().st_mode & 0o077 == 0
    source.close()
    assert not folder.exists()


def test_a_suite_is_held_against_what_is_in_a_bucket(bucket: Any, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text("cases:\n  - name: tram\n    checks: [{contains: Elmstead}]\n")

    found = CliRunner().invoke(cli, ["evaluate", str(suite), "--from", "s3://traces/2026/*.jsonl.gz"])

    assert found.exit_code == 0, found.output


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("s3://traces/2026/*.parquet", "no object at s3://traces/2026/"),
        ("s3://traces/none", "no object at s3://traces/none"),
        ("s3://nobody/x.jsonl", "s3://nobody/x.jsonl"),
        ("s3://traces/2026/note.txt", "neither OTLP nor trace records"),
    ],
)
def test_what_is_not_there_is_one_clear_line(bucket: Any, target: str, message: str) -> None:
    with pytest.raises(SourceError) as told:
        otel_mas.open(target)
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_a_server_that_hangs_up_is_asked_a_few_times_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default each of two questions 25 times, with growing waits in between."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-1"}.items():
        monkeypatch.setenv(name, value)
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with suppress(OSError):
                while True:
                    server.accept()[0].close()
                    asked.append(1)

        answering = threading.Thread(target=hang_up, daemon=True)
        answering.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(SourceError, match=re.escape("cannot read s3://traces/x.jsonl")):
            otel_mas.open("s3://traces/x.jsonl")
        server.shutdown(socket.SHUT_RDWR)
    answering.join()

    assert 1 <= len(asked) <= 8


def test_limits_of_the_user_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    monkeypatch.setitem(fsspec.config.conf, "s3", {"config_kwargs": {"connect_timeout": 9}})

    assert S3._storage(fsspec, fsspec.config.conf["s3"]).config_kwargs == {"connect_timeout": 9, "read_timeout": 20}


def test_a_protocol_without_its_package_names_what_to_install() -> None:
    with pytest.raises(MissingExtra, match="adlfs"):
        otel_mas.open("abfs://traces/x.jsonl")
