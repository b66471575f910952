"""An app whose branches ask a graph in another process, over HTTP, with the trace's context in the headers."""

from __future__ import annotations

import json
import operator
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Any, TypedDict
from urllib.request import ProxyHandler, Request, build_opener

from langgraph.graph import START, StateGraph
from langgraph.types import Send
from opentelemetry import context, propagate

from tests.accuracy.replay.witness import Witness

TOPICS = ("trams", "boats", "bikes")
_SERVE = "serve"


class Asked(TypedDict, total=False):
    topic: str
    found: Annotated[list[str], operator.add]


def research(state: Asked) -> Asked:
    return {"found": [str(Witness(of="researcher").invoke(state["topic"]).content)]}


def serve() -> None:
    """Answer as many requests as there are topics, each by a run of a graph."""
    builder = StateGraph(Asked)
    builder.add_node("research", research)
    builder.add_edge(START, "research")
    graph = builder.compile(name="researcher")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            token = context.attach(propagate.extract({name.lower(): value for name, value in self.headers.items()}))
            answer = json.dumps(graph.invoke(asked)["found"]).encode()
            context.detach(token)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        for _ in TOPICS:
            server.handle_request()


def ask(url: str) -> list[str]:
    """Ask about all topics at once; the answers in order of the topics."""

    def call(state: Asked) -> Asked:
        headers: dict[str, str] = {}
        propagate.inject(headers)
        request = Request(url, json.dumps({"topic": state["topic"]}).encode(), headers)
        with build_opener(ProxyHandler({})).open(request) as response:
            return {"found": json.loads(response.read())}

    builder = StateGraph(Asked)
    builder.add_node("ask", call)
    sends: Any = lambda _: [Send("ask", {"topic": topic}) for topic in TOPICS]  # noqa: E731
    builder.add_conditional_edges(START, sends, ["ask"])
    return list(builder.compile(name="asker").invoke({"found": []})["found"])


def main() -> None:
    if sys.argv[1:] == [_SERVE]:
        serve()
        return
    command = (sys.executable, "-m", "tests.accuracy.replay.service_app", _SERVE)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        try:
            print(ask(f"http://127.0.0.1:{int(service.stdout.readline())}/"))
        except BaseException:
            service.kill()
            raise


if __name__ == "__main__":
    main()
