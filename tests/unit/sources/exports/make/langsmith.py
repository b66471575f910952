"""Make data/langsmith.jsonl: the runs of a LangGraph app as LangSmith's own client sends and reads them.

    python -m tests.unit.sources.exports.make.langsmith

The client sends to a server on this machine that keeps what it gets and answers the client's `list_runs` with it.
"""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langchain_core.tracers import LangChainTracer
from langgraph.graph import END, START, MessagesState, StateGraph
from langsmith import Client

PROJECT = "00000000-0000-0000-0000-000000000001"
USAGE = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}


class Kept(BaseHTTPRequestHandler):
    """Keeps posted and patched runs."""

    runs: ClassVar[dict[str, dict[str, Any]]] = {}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/runs/query"):
            self._answer({"runs": [_read_form(run) for run in self.runs.values()], "cursors": {}})
            return
        for run in [body] if "id" in body else [*body.get("post", ()), *body.get("patch", ())]:
            self._keep(run)
        self._answer({})

    def do_PATCH(self) -> None:
        self._keep(json.loads(self.rfile.read(int(self.headers["Content-Length"]))) | {"id": self.path.split("/")[-1]})
        self._answer({})

    def do_GET(self) -> None:
        self._answer({"batch_ingest_config": {"use_multipart_endpoint": False}, "instance_flags": {}})

    def log_message(self, *_: Any) -> None:
        pass

    def _keep(self, run: dict[str, Any]) -> None:
        known = self.runs.setdefault(run["id"], {})
        known.update({key: value for key, value in run.items() if value is not None or key not in known})

    def _answer(self, body: Any) -> None:
        encoded = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)


def _read_form(run: dict[str, Any]) -> dict[str, Any]:
    """The run with what the service adds, and without what it keeps apart."""
    run = {name: value for name, value in run.items() if name not in ("attachments", "session_name")}
    return {**run, "session_id": PROJECT, "status": "error" if run.get("error") else "success"}


@tool
def calculator(expression: str) -> str:
    """Calculate."""
    raise ValueError("no")


def research(state: MessagesState) -> dict[str, Any]:
    model = GenericFakeChatModel(messages=iter([AIMessage("4", usage_metadata=USAGE)]))
    return {"messages": [model.invoke(state["messages"], config={"metadata": {"ls_model_name": "gpt-4o-mini"}})]}


def check(state: MessagesState) -> dict[str, Any]:
    try:
        calculator.invoke({"expression": "2+2"})
    except ValueError:
        pass
    return {}


def _without_this_machine(run: dict[str, Any]) -> str:
    run["extra"].pop("runtime", None)
    for name in ("revision_id", "LANGSMITH_TRACING", "lc_versions"):
        run["extra"]["metadata"].pop(name, None)
    return json.dumps(run).replace(str(Path(__file__).parents[5]), "…")


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kept)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["LANGSMITH_TRACING"] = "false"
    client = Client(api_url=f"http://127.0.0.1:{server.server_port}", api_key="none", auto_batch_tracing=False)
    builder = StateGraph(MessagesState).add_node(research).add_node(check)
    graph = builder.add_edge(START, "research").add_edge("research", "check").add_edge("check", END).compile()
    tracer = LangChainTracer(client=client, project_name="team")
    graph.invoke(
        {"messages": [HumanMessage("What is 2+2?")]},
        {"callbacks": [tracer], "configurable": {"thread_id": "thread-1"}},
    )
    tracer.wait_for_futures()
    runs = sorted(client.list_runs(project_id=PROJECT), key=lambda run: run.dotted_order)
    lines = [_without_this_machine(run.model_dump(mode="json", exclude={"serialized"})) for run in runs]
    (Path(__file__).parents[1] / "data" / "langsmith.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
