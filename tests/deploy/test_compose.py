"""deploy/compose: valid for Compose, and each program whose configuration it has takes it."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml

from tests.backends.jaeger import free_ports
from tests.debian_programs import debian_program
from tests.deploy.kubernetes import REPOSITORY
from tests.go_programs import go_program
from tests.serving.server import Server

COMPOSE = REPOSITORY / "deploy" / "compose"
LOADER = "github.com/compose-spec/compose-go/v2/cmd@v2.16.1"
TOKEN = "a-token-of-this-test"
_READY_WITHIN_S = 120.0


@pytest.fixture(scope="module")
def project(surroundings: dict[str, str]) -> dict[str, Any]:
    """The file as Compose's own loader reads it: checked against the specification, complete, paths absolute."""
    command = [go_program(LOADER, surroundings), "-no-interpolation", "compose.yaml"]
    done = subprocess.run(command, cwd=COMPOSE, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


def test_compose_takes_the_file_and_everything_that_it_mounts_is_there(project: dict[str, Any]) -> None:
    assert set(project["services"]) == {"serve", "collector", "jaeger", "tempo", "prometheus", "grafana"}
    files = [one["source"] for one in _mounts(project) if one["type"] == "bind" and Path(one["source"]).suffix]
    assert len(files) == 6
    assert [path for path in files if not Path(path).is_file()] == []  # Docker would make a folder of that name
    assert (Path(project["services"]["serve"]["build"]["context"]) / "deploy/container/Containerfile").exists()


def test_nothing_but_this_machine_reaches_it(project: dict[str, Any]) -> None:
    published = [port for service in project["services"].values() for port in service.get("ports", ())]

    assert len(published) == 6
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_it_does_not_start_without_a_token() -> None:
    assert "${OTEL_MAS_TOKEN:?" in (COMPOSE / "compose.yaml").read_text()


def test_its_parts_address_each_other_by_the_names_of_services(project: dict[str, Any]) -> None:
    text = "".join(file.read_text() for file in COMPOSE.rglob("*.yaml"))
    hosts = set(re.findall(r"(?:http://|[\"\[])([a-z]+):\d+", text))

    assert hosts == set(project["services"]) - {"grafana"}


@pytest.fixture
def prometheus(serve: Callable[..., Server], tmp_path: Path, surroundings: dict[str, str]) -> Iterator[str]:
    """The address of a Prometheus that runs the file, with one server to scrape."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    server = serve("--token-file", str(token), "--allowed-host", "serve")
    config = (COMPOSE / "prometheus.yaml").read_text()
    for old, new in (
        ("serve:4320", server.page),
        ("/run/secrets/otel-mas-token", str(token)),
        ("/etc/prometheus/rules", str(REPOSITORY / "deploy" / "prometheus")),
        ("scrape_interval: 15s", "scrape_interval: 1s"),
    ):
        assert old in config
        config = config.replace(old, new)
    file = tmp_path / "prometheus.yaml"
    file.write_text(config)
    (port,) = free_ports(1)
    program = debian_program("prometheus", "prometheus", surroundings)
    command = [program, f"--config.file={file}", f"--web.listen-address=127.0.0.1:{port}"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--storage.tsdb.path={tmp_path / 'data'}"], stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.wait()


def test_prometheus_takes_its_file_and_reads_the_server_with_the_token(prometheus: str) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not _query(prometheus, 'up{job="otel-mas"} == 1'):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert len(_rules(prometheus)) == len(list((REPOSITORY / "deploy" / "prometheus").glob("*.yaml")))


def test_jaeger_and_tempo_and_grafana_agree_on_ports(project: dict[str, Any]) -> None:
    """Their programs are not to be had for a test: Tempo's and Grafana's files are held against the others."""
    sources = {one["uid"]: one["url"] for one in _yaml("grafana/datasources.yaml")["datasources"]}
    jaeger = _yaml("jaeger.yaml")["extensions"]["jaeger_query"]["http"]["endpoint"]
    tempo = _yaml("tempo.yaml")

    assert sources["jaeger"] == f"http://jaeger:{jaeger.rpartition(':')[2]}"
    assert sources["tempo"] == f"http://tempo:{tempo['server']['http_listen_port']}"
    assert sources["prometheus"] == "http://prometheus:9090"
    assert tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] == "0.0.0.0:4317"


def _yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((COMPOSE / name).read_text())
    return found


def _mounts(project: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for service in project["services"].values():
        yield from service.get("volumes", ())


def _rules(address: str) -> set[str]:
    """The files of the rules that it has taken."""
    return {group["file"] for group in _get(f"{address}/api/v1/rules")["groups"]}


def _query(address: str, text: str) -> list[Any]:
    try:
        found: list[Any] = _get(f"{address}/api/v1/query?query={quote(text)}")["result"]
        return found
    except OSError:
        return []


def _get(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as response:
        found: dict[str, Any] = json.load(response)["data"]
        return found
