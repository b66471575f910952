"""OTLP over gRPC: the services of traces and logs as generic handlers, which get the bytes of a request.

The methods are declared as stream-unary ones, which on the wire are the same: so a handler runs before the request has
arrived, and a client that sends it too slowly is refused. gRPC itself would decompress without a bound, so it does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc  # type: ignore[import-untyped]
from google.protobuf.any_pb2 import Any as AnyMessage  # type: ignore[import-untyped]
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped]
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from otel_mas.receiver.otlp.decode import Signal
from otel_mas.receiver.otlp.figures import Figures
from otel_mas.receiver.otlp.inflate import compression_of
from otel_mas.receiver.otlp.ingest import Ingest
from otel_mas.receiver.otlp.outcome import Outcome, Reason, Refused

_SERVICES: Final = {
    "opentelemetry.proto.collector.trace.v1.TraceService": Signal.TRACES,
    "opentelemetry.proto.collector.logs.v1.LogsService": Signal.LOGS,
}
_CODES: Final = {
    Reason.MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
    Reason.TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.SLOW: grpc.StatusCode.DEADLINE_EXCEEDED,
    Reason.UNSUPPORTED: grpc.StatusCode.UNIMPLEMENTED,
    Reason.BUSY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}


def options(request_bytes: int) -> list[tuple[str, int]]:
    """Channel arguments of a server: bounds on what a client may make it keep."""
    return [
        ("grpc.so_reuseport", 0),  # or a second server would share the port, and get half of the requests
        ("grpc.per_message_decompression", 0),
        ("grpc.max_receive_message_length", request_bytes),
        ("grpc.max_concurrent_streams", 64),
        ("grpc.max_metadata_size", 16 * 1024),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]


def handlers(ingest: Ingest, figures: Figures, timeout_s: float) -> tuple[grpc.GenericRpcHandler, ...]:
    """The handlers of an asyncio gRPC server. A request may take `timeout_s` to arrive."""
    return tuple(
        grpc.method_handlers_generic_handler(
            service, {"Export": grpc.stream_unary_rpc_method_handler(_export(ingest, figures, signal, timeout_s))}
        )
        for service, signal in _SERVICES.items()
    )


def _export(
    ingest: Ingest, figures: Figures, signal: Signal, timeout_s: float
) -> Callable[[Any, Any], Awaitable[bytes]]:
    async def export(_: Any, context: Any) -> bytes:
        try:
            body = await _received(context, timeout_s)
            try:
                future = ingest.submit(signal, body, compression_of(body))
            except Refused as status_error:
                figures.refused(signal, status_error)
                raise
            del body
            return response(signal, await asyncio.wrap_future(future))
        except Refused as status_error:
            await context.abort(_CODES[status_error.reason], status_error.message, _details(status_error))
            raise AssertionError("abort raises") from None

    return export


async def _received(context: Any, timeout_s: float) -> bytes:
    try:
        async with asyncio.timeout(timeout_s):
            message = await context.read()
    except TimeoutError:
        raise Refused(Reason.SLOW, f"the request did not arrive within {timeout_s:g} s") from None
    if message is grpc.aio.EOF:
        raise Refused(Reason.MALFORMED, "there is no request in the call")
    return bytes(message)


def response(signal: Signal, outcome: Outcome) -> bytes:
    """The protobuf response to an accepted request."""
    if not outcome.rejected:
        return b""
    if signal is Signal.TRACES:
        traces = ExportTracePartialSuccess(rejected_spans=outcome.rejected, error_message=outcome.message)
        return bytes(ExportTraceServiceResponse(partial_success=traces).SerializeToString())
    logs = ExportLogsPartialSuccess(rejected_log_records=outcome.rejected, error_message=outcome.message)
    return bytes(ExportLogsServiceResponse(partial_success=logs).SerializeToString())


def status(status_error: Refused) -> Any:
    """A refusal as `google.rpc.Status`, with the time after which to try again."""
    found = Status(code=_CODES[status_error.reason].value[0], message=status_error.message)
    if status_error.retry_s is not None:
        delay = Duration()
        delay.FromMilliseconds(round(status_error.retry_s * 1000))
        packed = AnyMessage()
        packed.Pack(RetryInfo(retry_delay=delay))
        found.details.append(packed)
    return found


def _details(status_error: Refused) -> tuple[tuple[str, bytes], ...]:
    if status_error.retry_s is None:
        return ()
    return (("grpc-status-details-bin", status(status_error).SerializeToString()),)


__all__ = ["handlers", "options", "response", "status"]
