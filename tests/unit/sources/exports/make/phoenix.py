"""Make data/phoenix.sql: three spans that a Phoenix on this machine has got over OTLP, as its database has them.

uv venv v && uv pip install --python v/bin/python arize-phoenix
PHOENIX_WORKING_DIR=/tmp/phoenix PHOENIX_PORT=26006 PHOENIX_GRPC_PORT=26007 v/bin/phoenix serve &
python -m tests.unit.sources.exports.make.phoenix http://127.0.0.1:26006/v1/traces /tmp/phoenix/phoenix.db
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Status, StatusCode

from tests.unit.sources.exports.make.dump import dump

TEAM = {
    "openinference.span.kind": "AGENT",
    "session.id": "thread-1",
    "input.value": "What is 2+2?",
    "output.value": "4",
    "metadata": json.dumps({"langgraph_step": 1, "thread_id": "thread-1"}),
}
MODEL = {
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o-mini",
    "llm.provider": "openai",
    "llm.token_count.prompt": 12,
    "llm.token_count.completion": 5,
    "llm.token_count.total": 17,
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "What is 2+2?",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.content": "4",
}
TOOL = {"openinference.span.kind": "TOOL", "tool.name": "calculator", "input.value": '{"expression": "2+2"}'}


def main(endpoint: str, database: str) -> None:
    resource = Resource({"service.name": "team", "openinference.project.name": "team"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint)))
    tracer = provider.get_tracer("openinference.instrumentation.langchain")
    with tracer.start_as_current_span("team", attributes=TEAM):
        with tracer.start_as_current_span("model", attributes=MODEL) as model:
            model.set_status(Status(StatusCode.OK))
        with tracer.start_as_current_span("calculator", attributes=TOOL) as tool:
            tool.add_event("exception", {"exception.type": "ValueError", "exception.message": "no"})
            tool.set_status(Status(StatusCode.ERROR, "ValueError: no"))
    provider.shutdown()
    time.sleep(10)  # Phoenix inserts in batches
    tables = ("projects", "project_sessions", "traces", "spans")
    dump(database, tables, Path(__file__).parents[1] / "data" / "phoenix.sql")


if __name__ == "__main__":
    main(*sys.argv[1:])
