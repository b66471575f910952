"""The example team and three apps of tests/accuracy, recorded once, and readable from three places."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

import otel_mas
from otel_mas.cli import cli
from tests.accuracy.cases import CASES
from tests.accuracy.cases.case import invoke
from tests.backends.jaeger import Jaeger
from tests.example_team import SERVICE, THREAD, ExampleTeam

APPS = ("agent_with_tools_in_parallel", "several_senders", "retried_in_vain")
RUNS = ("example team", *APPS)
PLACES = ("store", "archive", "jaeger", "records")


@dataclass(frozen=True)
class Recorded:
    """A run: its thread and service, and where it can be read from, by place."""

    thread: str
    service: str
    places: dict[str, str]

    def words(self, place: str) -> list[str]:
        """The words of a command line that name it, in a place."""
        return ["--conversation", self.thread, "--service", self.service, "--from", self.places[place]]


@pytest.fixture(scope="session")
def recorded(
    once: Callable[[str, Callable[[Path], None]], Path],
    example_team: ExampleTeam,
    jaeger_binary: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Recorded]]:
    """Each run by its name."""
    folder = once("answers", _record)
    threads = json.loads((folder / "threads.json").read_text())
    stores = {"example team": example_team.store, **dict.fromkeys(APPS, folder / "runs.db")}
    server = Jaeger(jaeger_binary, tmp_path_factory.mktemp("jaeger-of-answers"))
    server.start()
    archives, records = {}, {}
    for store in dict.fromkeys(stores.values()):
        archives[store] = tmp_path_factory.mktemp("archive") / "archive.jsonl.gz"
        done = CliRunner().invoke(
            cli, ["export", "--all", "--content", "--store", str(store), "-o", str(archives[store])]
        )
        assert done.exit_code == 0, done.output
        records[store] = archives[store].with_name("records.jsonl.gz")
        written = ["--format", "records", "--content", "--store", str(store), "-o", str(records[store])]
        done = CliRunner().invoke(cli, ["export", "--all", *written])
        assert done.exit_code == 0, done.output
        for line in gzip.decompress(archives[store].read_bytes()).splitlines():
            _send(server, line)
    yield {
        name: Recorded(
            thread=THREAD if name == "example team" else threads[name],
            service=SERVICE if name == "example team" else "apps",
            places={
                "store": str(store),
                "archive": str(archives[store]),
                "jaeger": f"jaeger+http://{server.http}",
                "records": str(records[store]),
            },
        )
        for name, store in stores.items()
    }
    server.stop()


def _record(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_MAS_STRICT", "1")
        environment.setenv("OTEL_SERVICE_NAME", "apps")
        otel_mas.instrument(store=str(folder / "runs.db"))
        try:
            threads = {case.name: case.execute(invoke) for case in CASES if case.name in APPS}
        finally:
            otel_mas.shutdown(30)
    (folder / "threads.json").write_text(json.dumps(threads))


def _send(server: Jaeger, line: bytes) -> None:
    request = urllib.request.Request(f"http://{server.otlp_http}/v1/traces", line, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as response:
        assert response.status == 200
