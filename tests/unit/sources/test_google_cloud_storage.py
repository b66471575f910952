"""Object storage of Google as a source: a real server of its protocol on this machine, spoken to by fsspec."""

from __future__ import annotations

import gzip
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import fsspec
import pytest

import otel_mas
from otel_mas.errors import SourceError
from tests.go_programs import go_program

pytestmark = pytest.mark.slow
SERVER = "github.com/fsouza/fake-gcs-server@v1.52.2"
ANSWERS = Path(__file__).resolve().parents[2] / "answers"
_LONGEST_START_S = 60


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, surroundings: dict[str, str]) -> Iterator[str]:
    """The address of a server with a bucket `traces` of two archives and a note."""
    program = go_program(SERVER, surroundings)
    data = tmp_path_factory.mktemp("buckets")
    folder = data / "traces" / "2026"
    (folder / "11").mkdir(parents=True)
    shutil.copy(ANSWERS / "example_team.jsonl.gz", folder / "team.jsonl.gz")
    (folder / "11" / "desk.jsonl").write_bytes(gzip.decompress((ANSWERS / "newsdesk.jsonl.gz").read_bytes()))
    (folder / "note.txt").write_text("nothing to see")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    options = ("-scheme", "http", "-host", "127.0.0.1", "-port", address.rpartition(":")[2], "-public-host", address)
    command = [program, *options, "-backend", "memory", "-data", data]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(f"http://{address}/storage/v1/b", process)
            yield f"http://{address}"
        finally:
            process.terminate()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    latest = time.monotonic() + _LONGEST_START_S
    while process.poll() is None and time.monotonic() < latest:
        with suppress(URLError, ConnectionError), urlopen(url, timeout=5):
            return
        time.sleep(0.05)
    pytest.fail(f"{SERVER} does not answer; it ended with {process.poll()}")


@pytest.fixture
def storage(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The environment that leads to the server, and nowhere else."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    yield
    fsspec.get_filesystem_class("gs").clear_instance_cache()


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(
    ("target", "services"),
    [
        ("gs://traces/2026/*.jsonl.gz", {"research-team"}),
        ("gs://traces/2026/team.jsonl.gz", {"research-team"}),
        ("gs://traces/**/*.jsonl*", {"research-team", "newsdesk"}),
        ("gs://traces/2026", {"research-team", "newsdesk"}),
        ("gs://traces", {"research-team", "newsdesk"}),
    ],
)
def test_an_object_a_prefix_and_a_pattern_are_read_as_files_are(target: str, services: set[str]) -> None:
    with otel_mas.open(target) as source:
        assert source.location == target
        assert {one.service for one in source.traces()} == services


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("target", ["gs://traces/none.jsonl", "gs://nobody/none.jsonl", "gs://traces/*.zip"])
def test_what_is_not_there_is_one_line(target: str) -> None:
    with pytest.raises(SourceError, match=rf"^no object at {target.replace('*', '.')}: give one, a prefix"):
        otel_mas.open(target)
