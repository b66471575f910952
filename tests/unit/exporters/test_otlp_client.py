"""Replies of servers, read as protobuf reads them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from otel_mas.shipping import Accepted
from otel_mas_exporters.otlp_client import accepted, retry_after, retry_info, status_message


def test_success_whole_and_partial() -> None:
    partial = ExportTracePartialSuccess(rejected_spans=3, error_message="too old")

    assert accepted(b"") == Accepted()
    assert accepted(ExportTraceServiceResponse(partial_success=partial).SerializeToString()) == Accepted(3, "too old")


def test_a_negative_number_of_rejected_spans_is_none() -> None:
    partial = ExportTracePartialSuccess(rejected_spans=-1, error_message="odd")

    assert accepted(ExportTraceServiceResponse(partial_success=partial).SerializeToString()) == Accepted(0, "odd")


def test_a_malformed_response_is_reported() -> None:
    with pytest.raises(ValueError, match="message"):
        accepted(b"<html>")


def test_the_message_of_a_status() -> None:
    assert status_message(Status(code=3, message="bad span").SerializeToString()) == "bad span"
    assert status_message(b"<html>") == ""


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [
        (Duration(seconds=3), 3.0),
        (Duration(seconds=1, nanos=500_000_000), 1.5),
        (Duration(), 0.0),
        (Duration(seconds=-5), 0.0),
    ],
)
def test_how_long_a_status_asks_to_wait(delay: Duration, seconds: float) -> None:
    status = Status(code=8)
    for detail in (BadRequest(), RetryInfo(retry_delay=delay)):
        packed = AnyMessage()
        packed.Pack(detail)
        status.details.append(packed)

    assert retry_info(status.SerializeToString()) == seconds


@pytest.mark.parametrize("status", [b"", b"\xff\xff", Status(code=8, message="full").SerializeToString()])
def test_a_status_that_asks_for_nothing(status: bytes) -> None:
    assert retry_info(status) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Fri, 21 Nov 2025 10:00:30 GMT", 30.0),
        ("Fri, 21 Nov 2025 09:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, datetime(2025, 11, 21, 10, tzinfo=UTC).timestamp()) == seconds
