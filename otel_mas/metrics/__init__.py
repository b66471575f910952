"""Metrics of ended spans, by one set of rules for the app, the server and any source: docs/metrics.md.

- `ended`: an ended span as the rules see it
- `rules`: a span → measurements
- `memory`: causes, runs and questions that the rules remember, within bounds
- `label_sets`: bounds on the labels of a metric
- `totals`: sums and buckets of measurements
- `instruments`: measurements into OpenTelemetry's metrics API
- `exposition`: sums and buckets as Prometheus and OpenMetrics text
"""

from otel_mas.metrics.ended import EndedSpan, ended
from otel_mas.metrics.rules import Measure, Rules

__all__ = ["EndedSpan", "Measure", "Rules", "ended"]
