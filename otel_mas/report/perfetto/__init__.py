"""A run as a trace for Perfetto: slices on tracks, causes as flows."""

from otel_mas.report.perfetto.trace import perfetto

__all__ = ["perfetto"]
