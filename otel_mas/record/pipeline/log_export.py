"""Log records as OTLP logs, where the standard variables ask for them; by the SDK's own processor and exporter."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from otel_mas.record.correlation import CORRELATION
from otel_mas.record.guard import caught
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.config import Settings
    from otel_mas.record.pipeline.queue import Key

_EXPORTER, _ENDPOINT = "OTEL_LOGS_EXPORTER", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SDK: Final = "opentelemetry.sdk._logs"
_BODY_LEAVES: Final = ("EVENT_ONLY", "SPAN_AND_EVENT")
_ATTRIBUTES: Final = {
    "agent": names.GEN_AI_AGENT_NAME,
    "task": names.MAS_TASK_NAME,
    "task_id": names.MAS_TASK_ID,
    **{f"{name}_id": attribute for name, attribute in CORRELATION.items()},
}


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for OTLP logs: by the exporter's name, or an endpoint for logs."""
    named = [one.strip() for one in environ.get(_EXPORTER, "").lower().split(",")]
    return "otlp" in named or (bool(environ.get(_ENDPOINT)) and named == [""])


class LogExport:
    """Exports redacted log records from the writer's thread. Begins with the first one.

    Nothing is exported where the app has a logger provider of the SDK: its records leave by that one. Without consent
    (OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=EVENT_ONLY or SPAN_AND_EVENT) a record leaves without its
    message, its fields and the message and stack of its exception.
    """

    def __init__(self, settings: Settings) -> None:
        self._body_leaves = settings.capture_message_content in _BODY_LEAVES
        self._off = not is_wanted(os.environ)
        self._provider: Any = None

    def emit(self, key: Key, record: Mapping[str, Any]) -> None:
        """Export a record of a span, which is as it is stored."""
        if self._off:
            return
        try:
            if self._provider is None:
                self._begin()
            if self._provider is not None:
                logger = self._provider.get_logger(str(record.get("logger") or ""))
                logger.emit(_log_record(key, record, self._body_leaves))
        except Exception as error:
            self._off = True
            caught("log export", error)

    def shutdown(self, timeout_s: float) -> None:
        """Send what waits, and end. If no thread starts any more, the exporter's own time-out bounds it."""
        provider, self._provider, self._off = self._provider, None, True
        if provider is None:
            return
        try:
            thread = threading.Thread(target=provider.shutdown, name="otel-mas log export", daemon=True)
            thread.start()
            thread.join(max(0.1, timeout_s))
        except RuntimeError:  # the interpreter is ending
            try:
                provider.shutdown()
            except Exception as error:
                caught("log export", error)

    def _begin(self) -> None:
        from opentelemetry._logs import get_logger_provider
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
        from opentelemetry.sdk.resources import Resource

        if _SDK in sys.modules and isinstance(get_logger_provider(), LoggerProvider):
            self._off = True
            return
        exporter: Any
        if self._protocol().startswith("http"):
            from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter

            exporter = HttpExporter()
        else:
            from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter

            exporter = GrpcExporter()
        self._provider = LoggerProvider(Resource.create(), shutdown_on_exit=False)
        self._provider.add_log_record_processor(BatchLogRecordProcessor(exporter))

    def _protocol(self) -> str:
        return next(filter(None, (os.environ.get(name, "").strip() for name in _PROTOCOLS)), "grpc")


def _log_record(key: Key, record: Mapping[str, Any], body_leaves: bool) -> Any:
    from opentelemetry._logs import LogRecord, SeverityNumber
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    ids = record.get("ids") or {}
    attributes: dict[str, Any] = {name: ids[field] for field, name in _ATTRIBUTES.items() if field in ids}
    error = record.get("exception") or {}
    if error:
        attributes[names.EXCEPTION_TYPE] = error.get("type")
    if body_leaves:
        if error:
            attributes[names.EXCEPTION_MESSAGE] = error.get("message")
            attributes[names.EXCEPTION_STACKTRACE] = error.get("stacktrace")
        fields = record.get("attributes")
        for name, value in fields.items() if isinstance(fields, Mapping) else ():
            attributes.setdefault(name, value if isinstance(value, str | bool | int | float) else repr(value))
    context = SpanContext(*key, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return LogRecord(
        timestamp=record.get("time_ns"),
        context=set_span_in_context(NonRecordingSpan(context)),
        severity_text=str(record.get("severity") or ""),
        severity_number=SeverityNumber(record.get("severity_number") or 0),
        body=str(record.get("message")) if body_leaves else None,
        attributes=attributes,
    )


__all__ = ["LogExport", "is_wanted"]
