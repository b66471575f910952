"""Delivery of the store's log to destinations: cursors, retries, leases."""

from otel_mas.shipping.backoff import Backoff
from otel_mas.shipping.destination import (
    Accepted,
    Destination,
    Failure,
    FailureKind,
    Outcome,
    Refused,
    Unavailable,
    installed_destinations,
    open_destination,
)
from otel_mas.shipping.loop import ShippingLoop
from otel_mas.shipping.resend import Resend, Selection
from otel_mas.shipping.shipper import Busy, Idle, Shipped, Shipper, Step, Waiting

__all__ = [
    "Accepted",
    "Backoff",
    "Busy",
    "Destination",
    "Failure",
    "FailureKind",
    "Idle",
    "Outcome",
    "Refused",
    "Resend",
    "Selection",
    "Shipped",
    "Shipper",
    "ShippingLoop",
    "Step",
    "Unavailable",
    "Waiting",
    "installed_destinations",
    "open_destination",
]
