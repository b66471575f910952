"""Fault injection, for practice: an app, unchanged, loses messages, its tools and models fail. Off unless asked."""

from __future__ import annotations

from otel_mas.faults.fault import Fault
from otel_mas.faults.injection import Injection
from otel_mas.faults.switch import inject
from otel_mas.semconv.enums import FaultKind

__all__ = ["Fault", "FaultKind", "Injection", "inject"]
