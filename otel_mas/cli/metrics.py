"""`otel-mas metrics`: metrics of what is recorded, as Prometheus' text."""

from __future__ import annotations

import click

from otel_mas.cli.options import debug, source_option
from otel_mas.cli.output import print_line


@click.command("metrics")
@click.option("--openmetrics", is_flag=True, help="Print OpenMetrics, with trace ids as exemplars.")
@click.option(
    "--no-findings", is_flag=True, help="Leave out findings and overdue questions, for which every run is read whole."
)
@source_option
@debug
def command(store: str | None, openmetrics: bool, no_findings: bool) -> None:
    """Print the metrics of all recorded runs as Prometheus' text.

    docs/metrics.md lists them. They are those that `otel-mas serve` shows at /metrics, and that an app with a
    MeterProvider exports by itself.
    """
    from otel_mas.api import open as open_source

    with open_source(store) as source:
        for line in source.prometheus(openmetrics=openmetrics, findings=not no_findings).splitlines():
            print_line(line)
