"""A graph behind FastAPI, under uvicorn with two workers: it runs inside of its request, in one store."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.accuracy.trees import spans_of, trees

REPOSITORY = Path(__file__).resolve().parents[2]
OTEL_MAS = Path(sys.executable).with_name("otel-mas")
APP = "invoke_workflow app(task one(work) task two(work))"


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


class Served:
    """The app, until it is stopped."""

    def __init__(self, store: Path, log: Path) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        uvicorn = ["-m", "uvicorn", "tests.accuracy.served:app", "--workers", "2", "--port", str(port)]
        self._log = log.open("w")
        self.process = subprocess.Popen(
            [OTEL_MAS, "run", "--store", store, "--quiet", "--", sys.executable, *uvicorn],
            cwd=REPOSITORY,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def wait(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/openapi.json", timeout=20)
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise TimeoutError("the app does not answer")

    def stop(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait(60)
        self._log.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path / "runs.db", tmp_path / "log")
    try:
        found.wait()
        yield found
    finally:
        found.stop()


def test_a_graph_runs_inside_of_its_request_whichever_worker_answers(served: Served, tmp_path: Path) -> None:
    answered: Counter[int] = Counter()
    asked: Counter[str] = Counter()

    def ask(way: str) -> None:
        answer = httpx.get(f"{served.url}/{way}?text={way}", timeout=30)
        assert answer.status_code == 200
        asked[way] += 1
        if "stream" not in way:
            assert answer.json()["text"] == f"{way}.."
            answered[answer.json()["pid"]] += 1

    with ThreadPoolExecutor(8) as pool:
        until = time.monotonic() + 60
        while len(answered) < 2 and time.monotonic() < until:
            list(pool.map(ask, ["sync", "async", "stream", "astream"] * 4))
    # A reader that goes away in the middle.
    with httpx.stream("GET", f"{served.url}/endless", timeout=30) as answer:
        next(answer.iter_lines())
    time.sleep(0.5)
    served.stop()

    assert "Traceback" not in (tmp_path / "log").read_text()
    spans = [span for span in spans_of(tmp_path / "runs.db") if not span.name.startswith("GET /openapi")]
    assert Counter(trees(spans)) == {
        f"GET /sync({APP})": asked["sync"],
        f"GET /async({APP})": asked["async"],
        f"GET /stream({APP} send send)": asked["stream"],
        f"GET /astream({APP} send send)": asked["astream"],
        "GET /endless(invoke_workflow endless(task hangs task one(work)))": 1,
    }
    assert len(answered) == 2
    assert len({span.resource.attributes["mas.instance.id"] for span in spans}) == 2
    assert [span.name for span in spans if span.end_ns is None or span.status.name == "ERROR"] == []
    (left,) = [span for span in spans if span.name == "invoke_workflow endless"]
    assert left.attributes["mas.run.outcome"] == "cancelled"  # by Starlette, as its reader is gone
