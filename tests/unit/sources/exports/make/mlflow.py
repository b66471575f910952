"""Make data/mlflow.sql: three spans of a trace in the database of an MLflow on this machine.

uv venv v && uv pip install --python v/bin/python mlflow==3.17.2
PYTHONPATH=. v/bin/python -m tests.unit.sources.exports.make.mlflow
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import mlflow  # type: ignore[import-not-found]
from mlflow.entities import SpanType  # type: ignore[import-not-found]

from tests.unit.sources.exports.make.dump import dump

TABLES = ("experiments", "trace_info", "trace_request_metadata", "spans")
QUESTION = "What is 2+2?"


def main() -> None:
    os.chdir(tempfile.mkdtemp())
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("team")
    with mlflow.start_span("team", span_type=SpanType.AGENT) as root:
        root.set_inputs({"question": QUESTION})
        mlflow.update_current_trace(metadata={"mlflow.trace.session": "thread-1", "mlflow.trace.user": "u1"})
        with mlflow.start_span("model", span_type=SpanType.CHAT_MODEL) as model:
            model.set_inputs({"messages": [{"role": "user", "content": QUESTION}]})
            model.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17})
            model.set_attribute("mlflow.llm.model", "gpt-4o-mini")
            model.set_attribute("mlflow.llm.provider", "openai")
            model.set_outputs({"choices": [{"message": {"role": "assistant", "content": "4"}}]})
        with mlflow.start_span("calculator", span_type=SpanType.TOOL) as tool:
            tool.set_inputs({"expression": "2+2"})
            tool.set_status("ERROR")
        root.set_outputs({"answer": "4"})
    mlflow.flush_trace_async_logging()
    dump("mlflow.db", TABLES, Path(__file__).parents[1] / "data" / "mlflow.sql")


if __name__ == "__main__":
    main()
