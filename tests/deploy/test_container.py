"""The steps of the Containerfile, run without containers: in a folder that stands for the root of the image."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.wheels import REPOSITORY

CONTAINERFILE = REPOSITORY / "deploy" / "container" / "Containerfile"
OUTSIDE = re.compile(r"0\.0\.0\.0:\d+")
PLACES = ("/opt/otel-mas", "/data", "/src", "/run/secrets")
pytestmark = pytest.mark.slow


@dataclass
class Image:
    """The instructions of a Containerfile: `stages` are those that fill its folders."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    entrypoint: Sequence[str] = ()
    health: Sequence[str] = ()
    folder: Path = Path("/")

    def place(self, text: str) -> str:
        """With paths of the image below the folder that stands for its root."""
        return re.sub(rf"(?<![\w./])({'|'.join(PLACES)})(?![\w-])", rf"{self.root}\1", text)

    def environment(self) -> dict[str, str]:
        found = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return found | self.variables

    def build(self, lines: Iterator[str]) -> None:
        for line in lines:
            name, _, rest = line.partition(" ")
            getattr(self, f"_{name.lower()}")(rest)

    def _from(self, base: str) -> None:
        assert base.startswith("docker.io/library/python:3.")

    def _workdir(self, path: str) -> None:
        self.folder = Path(self.place(path))
        self.folder.mkdir(parents=True)

    def _copy(self, text: str) -> None:
        words = shlex.split(text)
        options, paths = [w for w in words if w.startswith("--")], [w for w in words if not w.startswith("--")]
        *sources, target = paths
        if any(option.startswith("--from=") for option in options):
            assert sources == [target]  # the stages share their root here
            assert Path(self.place(target)).is_dir()
            return
        for source in sources:
            if (REPOSITORY / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "node_modules")
                shutil.copytree(REPOSITORY / source, self.folder / target, ignore=ignored)
            else:
                shutil.copy(REPOSITORY / source, self.folder / target)

    def _run(self, command: str) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        variables = self.environment() | {"PATH": path}
        done = subprocess.run(
            ["sh", "-c", self.place(command)], cwd=self.folder, env=variables, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    def _env(self, text: str) -> None:
        for word in shlex.split(text):
            name, _, value = word.partition("=")
            self.variables[name] = self.place(value.replace("$PATH", "") + os.environ["PATH"] * ("$PATH" in value))

    def _user(self, name: str) -> None:
        self.user = name

    def _volume(self, path: str) -> None:
        assert Path(self.place(path)).is_dir()

    def _expose(self, ports: str) -> None:
        assert ports == "4317 4318 4320"

    def _healthcheck(self, text: str) -> None:
        self.health = [self.place(word) for word in json.loads(text.partition("CMD ")[2])]

    def _entrypoint(self, text: str) -> None:
        self.entrypoint = [self.place(word) for word in json.loads(text)]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    built = Image(tmp_path_factory.mktemp("image"))
    built.build(line for line in CONTAINERFILE.read_text().splitlines() if line and not line.startswith("#"))
    return built


@pytest.fixture
def token(image: Image) -> Iterator[str]:
    path = image.root / "run" / "secrets" / "otel-mas-token"
    path.parent.mkdir(parents=True)
    path.write_text("a-token-of-this-test\n")
    yield "a-token-of-this-test"
    shutil.rmtree(path.parent)


def request(address: str, path: str, token: str | None) -> int:
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("GET", path, headers={} if token is None else {"Authorization": f"Bearer {token}"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_it_refuses_to_start_without_a_token(image: Image) -> None:
    """It listens for nothing: the token is read first."""
    done = subprocess.run(image.entrypoint, env=image.environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert "otel-mas-token cannot be read" in done.stderr
    without = image.entrypoint[: image.entrypoint.index("--token-file")]
    done = subprocess.run(without, env=image.environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert "0.0.0.0 can be reached from other machines" in done.stderr


def test_it_serves_with_the_token_is_healthy_and_keeps_its_store_on_the_volume(image: Image, token: str) -> None:
    assert image.user == "10001:10001"
    assert sum(bool(OUTSIDE.fullmatch(word)) for word in image.entrypoint) == 3
    command = [OUTSIDE.sub("127.0.0.1:0", word) for word in image.entrypoint]  # nothing of a test leaves loopback
    process = subprocess.Popen(command, env=image.environment(), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        _, http_address, page = (process.stdout.readline().split()[-1] for _ in range(3))
        assert request(page, "/api/v1/info", None) == 401
        assert request(page, "/api/v1/info", token) == 200
        assert request(page, "/", token) == 200
        assert request(page, "/mcp", token) != 404
        assert request(http_address, "/readyz", None) == 200
        check = [word.replace("127.0.0.1:4320", page) for word in image.health]
        assert subprocess.run(check, env=image.environment()).returncode == 0
        assert (image.root / "data" / "runs.db").exists()
    finally:
        process.terminate()
        assert process.wait(60) == 0
        if process.stdout is not None:
            process.stdout.close()
    assert subprocess.run(check, env=image.environment(), stderr=subprocess.DEVNULL).returncode != 0
