"""Sends two spans, the second the first one's child, and a log record in it, with the SDK of Python.

Usage: python sdk.py grpc|proto. The standard OTEL_EXPORTER_OTLP_* variables apply.
"""

from __future__ import annotations

import sys
from importlib import import_module

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

form = {"grpc": "grpc", "proto": "http"}[sys.argv[1]]
spans = import_module(f"opentelemetry.exporter.otlp.proto.{form}.trace_exporter").OTLPSpanExporter()
logs = import_module(f"opentelemetry.exporter.otlp.proto.{form}._log_exporter").OTLPLogExporter()
tracing, logging = TracerProvider(), LoggerProvider()
tracing.add_span_processor(BatchSpanProcessor(spans))
logging.add_log_record_processor(BatchLogRecordProcessor(logs))
tracer = tracing.get_tracer("python-app")
with (
    tracer.start_as_current_span("python root"),
    tracer.start_as_current_span("python child", attributes={"gen_ai.agent.name": "snake", "tags": ["a", "b"]}),
):
    record = LogRecord(severity_number=SeverityNumber.WARN, severity_text="WARN", body="from Python")
    logging.get_logger("python-app").emit(record)
tracing.shutdown()
logging.shutdown()
