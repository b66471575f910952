"""Make data/datadog.json: the spans of a LangGraph app as Datadog's own library sends them to LLM Observability.

    pip install ddtrace langgraph
    python -m tests.unit.sources.exports.make.datadog

The library sends to a server on this machine, which keeps the spans. The file has them as the Export API answers with
them: its reference says which fields are where.
"""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

DATA = Path(__file__).parents[1] / "data"
OF_META = ("input", "output", "metadata", "model_name", "model_provider", "tool_definitions", "error")
OF_SPAN = (
    "name",
    "span_id",
    "trace_id",
    "parent_id",
    "start_ns",
    "duration",
    "status",
    "tags",
    "metrics",
    "span_links",
)


class Kept(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    payloads: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.payloads.extend(body if isinstance(body, list) else [body])
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


def run() -> None:
    from ddtrace.llmobs import LLMObs
    from langgraph.graph import END, START, MessagesState, StateGraph

    def research(state: MessagesState) -> dict[str, Any]:
        with LLMObs.llm(model_name="gpt-4o-mini", name="model", model_provider="openai"):
            LLMObs.annotate(
                input_data=[{"role": "user", "content": "What is 2+2?"}],
                output_data=[{"role": "assistant", "content": "4"}],
                metrics={"input_tokens": 12, "output_tokens": 5, "total_tokens": 17},
                metadata={"temperature": 0},
            )
        return {}

    def check(state: MessagesState) -> dict[str, Any]:
        try:
            with LLMObs.tool(name="calculator"):
                LLMObs.annotate(input_data={"expression": "2+2"})
                raise ValueError("no")
        except ValueError:
            pass
        return {}

    builder = StateGraph(MessagesState).add_node(research).add_node(check)
    graph = builder.add_edge(START, "research").add_edge("research", "check").add_edge("check", END).compile()
    with LLMObs.workflow(name="team", session_id="thread-1"):
        graph.invoke({"messages": [{"role": "user", "content": "What is 2+2?"}]})
    LLMObs.flush()


def exported(span: dict[str, Any]) -> dict[str, Any]:
    """The span as the Export API has it."""
    meta = span["meta"]
    attributes = {key: span[key] for key in OF_SPAN if key in span} | {key: meta[key] for key in OF_META if key in meta}
    attributes |= {"span_kind": meta["span"]["kind"], "ml_app": "team"}
    return {"id": span["span_id"], "type": "span", "attributes": attributes}


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Kept)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ |= {
        "DD_LLMOBS_OVERRIDE_ORIGIN": f"http://127.0.0.1:{server.server_port}",
        "DD_TRACE_ENABLED": "true",
        "DD_APM_TRACING_ENABLED": "false",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_TRACE_GIT_METADATA_ENABLED": "false",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    }
    from ddtrace.llmobs import LLMObs

    LLMObs.enable(ml_app="team", agentless_enabled=True, api_key="none", site="datadoghq.invalid", service="team")
    run()
    spans = [span for payload in Kept.payloads if payload.get("event_type") == "span" for span in payload["spans"]]
    text = json.dumps({"data": [exported(span) for span in spans], "meta": {"status": "done"}}, indent=1)
    (DATA / "datadog.json").write_text(text.replace(str(Path(__file__).parents[5]), "…") + "\n")


if __name__ == "__main__":
    main()
