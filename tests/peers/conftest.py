"""Runs the app in a peer's environment, in a process of its own, against the local model server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from examples.model_server import ModelServer
from tests.peers.peers import REPOSITORY, python_with

APP = Path(__file__).with_name("app.py")
OURS = "otel_mas"
WAYS = ("invoke", "ainvoke", "stream", "astream")
LOCAL = "localhost,127.0.0.1,::1"


@dataclass
class Recorded:
    """The spans that the app's own exporter got, and the store that was recorded into."""

    spans: list[dict[str, Any]]
    store: Path

    def of(self, *scopes: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["scope"] in scopes]

    @property
    def ours(self) -> list[dict[str, Any]]:
        return self.of(OURS)

    @property
    def theirs(self) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["scope"] not in (OURS, "app")]

    @property
    def trace_id(self) -> str:
        """Trace of what the app does; a peer may have other traces."""
        (root,) = [span for span in self.spans if span["scope"] == "app" and span["parent_id"] is None]
        found: str = root["trace_id"]
        return found

    @cached_property
    def by_id(self) -> dict[str, dict[str, Any]]:
        return {span["span_id"]: span for span in self.spans}

    def above(self, span: dict[str, Any]) -> list[dict[str, Any]]:
        """The span's ancestors, the nearest first."""
        found: list[dict[str, Any]] = []
        while (parent := self.by_id.get(span["parent_id"])) is not None and parent not in found:
            found.append(parent)
            span = parent
        return found

    def our_nearest(self, span: dict[str, Any]) -> str | None:
        """The name of the nearest span of ours above it."""
        return next((one["name"] for one in self.above(span) if one["scope"] == OURS), None)


@dataclass
class Runs:
    """Runs the app in the environments of peers, once for the whole test run in each form that a test asks for."""

    server: str
    once: Callable[[str, Callable[[Path], None]], Path]
    environ: dict[str, str]
    _known: dict[str, dict[str, Recorded]] = field(default_factory=dict)

    def __call__(
        self, peer: str, *, on: bool = True, ours: str | None = "first", **settings: str
    ) -> dict[str, Recorded]:
        """Return the record of each way in which the app was called.

        Args:
            peer: whose environment.
            on: whether the peer instruments there.
            ours: whether we are switched on `first` or `last`; None leaves us off.
            settings: further environment variables.
        """
        name = "-".join(map(str, ("peer", peer, "on" if on else "off", ours, *settings.values())))
        if name not in self._known:
            folder = self.once(name, lambda folder: self._run(folder, peer, on, ours, settings))
            spans = json.loads((folder / "spans.json").read_text())
            self._known[name] = {way: Recorded(found, folder / "runs.db") for way, found in spans.items()}
        return self._known[name]

    def _run(self, folder: Path, peer: str, on: bool, ours: str | None, settings: dict[str, str]) -> None:
        command = [python_with(peer, self.environ), str(APP), "--ways", ",".join(WAYS)]
        command += ["--peers", "langchain,openai"] if on else []
        if ours is not None:
            command += ["--store", str(folder / "runs.db"), *["--ours-last"] * (ours == "last")]
        environ = {
            "PATH": self.environ["PATH"],
            "HOME": str(folder),
            "NO_PROXY": LOCAL,
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OTEL_MAS_STRICT": "1",
            "OPENAI_BASE_URL": self.server,
            "OPENAI_API_KEY": "local",
            **settings,
        }
        done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-4000:]
        (folder / "spans.json").write_text(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def peer_runs(surroundings: dict[str, str], once: Callable[[str, Callable[[Path], None]], Path]) -> Iterator[Runs]:
    with ModelServer(pace=0) as server:
        yield Runs(server.url, once, surroundings)
