"""A fan-out that is recorded once and replayed on shuffled schedules, by one of the packages that replay.

    python fan_out_replay.py --by vcrpy --requests same --schedules 50

With `--one-by-one` branches do not run at the same time, so that their order is the recorded one.
Each branch asks a model over HTTP, which answers with a number that no other answer has: an answer that a branch did
not get when it was recorded is a wrong one. Prints a line of JSON: answers, wrong ones, failed replays, and calls that
went to the server all the same.
"""

from __future__ import annotations

import argparse
import itertools
import json
import operator
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Annotated, Any, TypedDict

BRANCHES = 6
_LONGEST_S = 0.02
_numbers = itertools.count(1)


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini",
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": f"answer {next(_numbers)}"},
                }
            ],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.asked += 1  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        pass


class State(TypedDict, total=False):
    i: int
    found: Annotated[list[Any], operator.add]


def build(url: str, same: bool, limit: int | None, client: Callable[[], Any]) -> Callable[[], list[Any]]:
    """The app.

    Args:
        url: of the server.
        same: whether all branches ask the same.
        limit: of the branches that run at once.
        client: gives each model a client of its own, or None.
    """
    from langchain_openai import ChatOpenAI
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import Send

    def work(state: State) -> State:
        time.sleep(random.random() * _LONGEST_S)
        model = ChatOpenAI(model="gpt-4o-mini", base_url=url, api_key="local", max_retries=0, http_client=client())
        asked = "the same" if same else f"question {state['i']}"
        return {"found": [(state["i"], str(model.invoke(asked).content))]}

    graph = StateGraph(State)
    graph.add_node("work", work)
    graph.add_conditional_edges(START, lambda _: [Send("work", {"i": i}) for i in range(BRANCHES)], ["work"])
    graph.add_edge("work", END)
    app = graph.compile()
    return lambda: sorted(app.invoke({"found": []}, {"max_concurrency": limit})["found"])


class ByVcr:
    """vcrpy, as it is (method and URL), or with the body to match, too."""

    def __init__(self, folder: Path, body: bool) -> None:
        import vcr

        match = ["method", "scheme", "host", "port", "path", "query", *(["body"] if body else [])]
        self._vcr = vcr.VCR(match_on=match)
        self._file = str(folder / "cassette.yaml")

    def recording(self) -> AbstractContextManager[Any]:
        return self._vcr.use_cassette(self._file, record_mode="once")

    def replaying(self) -> AbstractContextManager[Any]:
        return self._vcr.use_cassette(self._file, record_mode="none")


class ByAgentTrace:
    """agent-observability-trace-cli."""

    def __init__(self, folder: Path) -> None:
        from agent_trace import Tracer

        self._folder = folder
        self._tracer = Tracer(trace_dir=folder)

    def recording(self) -> AbstractContextManager[Any]:
        return self._tracer.start_trace("run", record=True)

    def replaying(self) -> AbstractContextManager[Any]:
        from agent_trace._replay.engine import replay_context

        return replay_context(next(self._folder.rglob("*.db")))


class ByTimetravel:
    """agent-timetravel: what is called is captured on a branch of an empty trace, then replayed frozen."""

    def __init__(self, folder: Path) -> None:
        from agent_timetravel.models import Trace
        from agent_timetravel.storage import TraceStore

        self._store = TraceStore(folder / "timetravel.db")
        self._trace_id = "1" * 32
        self._store.upsert_trace(Trace(trace_id=self._trace_id))

    def recording(self) -> AbstractContextManager[Any]:
        from agent_timetravel.enums import ReplayMode

        return self._session(ReplayMode.BRANCH)

    def replaying(self) -> AbstractContextManager[Any]:
        from agent_timetravel.enums import ReplayMode

        return self._session(ReplayMode.FROZEN)

    @contextmanager
    def _session(self, mode: Any) -> Iterator[None]:
        from agent_timetravel.langgraph_intercept import patch
        from agent_timetravel.replay import replay

        with patch(), replay(self._store, self._trace_id, mode=mode):
            yield


class ByUs:
    def __init__(self, folder: Path) -> None:
        import otel_mas

        self._store = folder / "runs.db"
        otel_mas.instrument(store=str(self._store))
        self._trace_id: str | None = None

    def recording(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def replaying(self) -> AbstractContextManager[Any]:
        import otel_mas

        if self._trace_id is None:
            otel_mas.flush()
            with otel_mas.open(self._store) as source:
                self._trace_id = source.latest().trace_id
        return otel_mas.replay(self._trace_id, source=self._store)


BY: dict[str, Callable[[Path], Any]] = {
    "vcrpy": lambda folder: ByVcr(folder, False),
    "vcrpy-body": lambda folder: ByVcr(folder, True),
    "agent-trace": ByAgentTrace,
    "timetravel": ByTimetravel,
    "otel-mas": ByUs,
}


def _none() -> None:
    return None


def _httpx() -> Any:
    import httpx

    return httpx.Client()


CLIENTS: dict[str, Callable[[], Any]] = {"agent-trace": _httpx}
"""It replays only clients that are made while it replays; LangChain keeps one."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--by", choices=BY, required=True)
    parser.add_argument("--requests", choices=["same", "different"], required=True)
    parser.add_argument("--schedules", type=int, default=50)
    parser.add_argument("--one-by-one", action="store_true")
    options = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.asked = 0  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["NO_PROXY"] = "127.0.0.1"
    limit = 1 if options.one_by_one else None
    url = f"http://127.0.0.1:{server.server_port}/v1"
    run = build(url, options.requests == "same", limit, CLIENTS.get(options.by, _none))
    counts = {"answers": 0, "wrong": 0, "failed": 0}
    with tempfile.TemporaryDirectory() as folder:
        by = BY[options.by](Path(folder))
        with by.recording():
            recorded = run()
        server.asked = 0  # type: ignore[attr-defined]
        for _ in range(options.schedules):
            try:
                with by.replaying():
                    replayed = run()
            except Exception as error:
                counts["failed"] += 1
                print(f"{type(error).__name__}: {error}"[:300])
                continue
            counts["answers"] += len(replayed)
            counts["wrong"] += sum(one != other for one, other in zip(recorded, replayed, strict=True))
        if options.by == "otel-mas":
            import otel_mas

            otel_mas.shutdown()
    print(json.dumps({**counts, "sent": server.asked}))  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
