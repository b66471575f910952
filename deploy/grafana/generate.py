"""Write the dashboards of Grafana, one file each, from the table of metrics.

python deploy/grafana/generate.py [--into FOLDER] [--namespace NAMESPACE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DashboardLinkType, DataSourceRef

from otel_mas.alert.promql import label
from otel_mas.semconv import metrics as table
from otel_mas.semconv.metrics import METRICS, Metric

_UNITS = {"s": "s", "By": "bytes", "{USD}": "currencyUSD"}
_WINDOW = "$__rate_interval"
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_WIDTH, _HEIGHT = 12, 8
_MOST_LABELS = 2  # a legend of more is not read


@dataclass(frozen=True)
class Board:
    """One dashboard.

    Args:
        name: of its file, and of its address.
        title: for people.
        about: the question that it answers.
        metrics: the beginnings of their names.
        glance: title, PromQL and unit of each figure at the top; `{ns}` stands for the namespace.
    """

    name: str
    title: str
    about: str
    metrics: tuple[str, ...]
    glance: tuple[tuple[str, str, str], ...] = ()


def _total(metric: Metric, where: str = "") -> str:
    return f"sum(increase({{ns}}{metric.prometheus}{where}[$__range]))"


def _share(metric: Metric, where: str) -> str:
    """The part of a counter that `where` selects; 0 where it has none."""
    return f"({_total(metric, where)} or vector(0)) / {_total(metric)}"


def _p95(metric: Metric) -> str:
    return f"histogram_quantile(0.95, sum by (le) (increase({{ns}}{metric.prometheus}_bucket[$__range])))"


_COST = ("Cost", _total(table.MAS_COST), "currencyUSD")

BOARDS = (
    Board(
        "runs",
        "Runs",
        "How many runs there are, how they end, and what one takes.",
        ("mas.run",),
        (
            ("Runs", _total(table.MAS_RUNS), "short"),
            ("Failed", _share(table.MAS_RUNS, '{{mas_run_outcome="error"}}'), "percentunit"),
            ("P95", _p95(table.MAS_RUN_DURATION), "s"),
            _COST,
        ),
    ),
    Board(
        "agents",
        "Agents and tasks",
        "Which agent is slow, fails, tries again, or calls too much.",
        ("gen_ai.invoke_agent", "mas.task", "mas.retries", "mas.event_loop"),
        (
            ("P95 of a task", _p95(table.MAS_TASK_DURATION), "s"),
            ("Second attempts", _total(table.MAS_RETRIES), "short"),
            ("P95 of the event loop's lag", _p95(table.MAS_EVENT_LOOP_LAG), "s"),
        ),
    ),
    Board(
        "models",
        "Models",
        "How long models take, what goes in and out of them, and what that costs.",
        ("gen_ai.client", "mas.cost"),
        (
            ("P95 of a call", _p95(table.GEN_AI_CLIENT_OPERATION_DURATION), "s"),
            (
                "Input from the cache",
                f"{_total(table.GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS)}"
                f" / {_total(table.GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS)}",
                "percentunit",
            ),
            _COST,
        ),
    ),
    Board(
        "tools",
        "Tools",
        "Which tool fails or is slow, and which agent calls it.",
        ("gen_ai.execute_tool", "mas.tool"),
        (
            ("Calls", _total(table.MAS_TOOL_CALLS), "short"),
            ("Failed", _share(table.MAS_TOOL_CALLS, '{{mas_status="error"}}'), "percentunit"),
            ("P95", _p95(table.GEN_AI_EXECUTE_TOOL_DURATION), "s"),
        ),
    ),
    Board(
        "causes",
        "Causes between agents",
        "Who triggers whom, who waits for whom, and where a router sends the work.",
        ("mas.routing", "mas.handoffs", "mas.edge", "mas.join"),
        (
            ("Hand-offs", _total(table.MAS_HANDOFFS), "short"),
            ("P95 of waiting", _p95(table.MAS_EDGE_WAIT), "s"),
            ("P95 of joins' skew", _p95(table.MAS_JOIN_SKEW), "s"),
        ),
    ),
    Board(
        "quality",
        "Quality and people",
        "What guardrails, grades and findings say, and who waits for a person.",
        ("mas.guardrail", "mas.evaluations", "mas.findings", "mas.interrupt"),
        (
            ("Blocked", _share(table.MAS_GUARDRAIL_VERDICTS, '{{mas_guardrail_verdict="block"}}'), "percentunit"),
            ("Findings", _total(table.MAS_FINDINGS), "short"),
            ("P95 of waiting for a person", _p95(table.MAS_INTERRUPT_WAIT), "s"),
        ),
    ),
    Board(
        "pipeline",
        "Recording, store and shipping",
        "Whether all that happened is recorded, stored, and where it is to be.",
        ("mas.queue", "mas.spans", "mas.metrics", "mas.store", "mas.destination", "mas.receiver"),
        (
            ("Spans dropped", _total(table.MAS_SPANS_DROPPED), "short"),
            ("Store", f"sum({{ns}}{table.MAS_STORE_SIZE.prometheus})", "bytes"),
            ("Not shipped yet", f"sum({{ns}}{table.MAS_DESTINATION_PENDING.prometheus})", "short"),
            ("P95 of a commit", _p95(table.MAS_RECEIVER_COMMIT_DURATION), "s"),
        ),
    ),
)


def metrics_of(board: Board) -> tuple[Metric, ...]:
    """The metrics of a dashboard, in the order of the table."""
    return tuple(one for one in METRICS if any(_begins(one.name, start) for start in board.metrics))


def _begins(name: str, start: str) -> bool:
    """Whether a name is, or is below, or is the plural of another."""
    return name in (start, f"{start}s") or name.startswith((f"{start}.", f"{start}s."))


def queries(metric: Metric, prefix: str) -> Iterator[tuple[str, str]]:
    """PromQL of a metric, and the legend of each."""
    by = [label(name) for name in metric.labels[:_MOST_LABELS]]
    legend = " · ".join(f"{{{{{name}}}}}" for name in by) or metric.brief.rstrip(".")
    series = prefix + metric.prometheus
    match metric.instrument:
        case "counter":
            yield _sum(by, f"rate({series}[{_WINDOW}])"), legend
        case "gauge":
            yield _sum(by, series), legend
        case "histogram":
            for quantile in (0.5, 0.95):
                buckets = _sum(["le", *by[:1]], f"rate({series}_bucket[{_WINDOW}])")
                first = f"{{{{{by[0]}}}}} " if by else ""
                yield f"histogram_quantile({quantile}, {buckets})", f"{first}P{quantile * 100:g}"


def _sum(by: Sequence[str], vector: str) -> str:
    return f"sum by ({', '.join(by)}) ({vector})" if by else f"sum({vector})"


def panel(metric: Metric, prefix: str) -> timeseries.Panel:
    unit = _UNITS.get(metric.unit, "short")
    if metric.instrument == "counter":
        unit = "ops" if unit == "short" else unit
    drawn = (
        timeseries.Panel()
        .title(metric.name)
        .description(f"{metric.brief} {metric.bad}")
        .unit(unit)
        .datasource(_SOURCE)
        .span(_WIDTH)
        .height(_HEIGHT)
        .legend(_legend())
    )
    for number, (expression, legend) in enumerate(queries(metric, prefix)):
        query = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(chr(ord("A") + number))
        drawn.with_target(query.exemplar(metric.instrument == "histogram").datasource(_SOURCE))
    return drawn


def figure(title: str, expression: str, unit: str, width: int) -> stat.Panel:
    query = prometheus.Dataquery().expr(expression).instant().ref_id("A").datasource(_SOURCE)
    last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    drawn = stat.Panel().title(title).unit(unit).datasource(_SOURCE).span(width).height(4).reduce_options(last)
    return drawn.with_target(query)


def _legend() -> common.VizLegendOptions:
    shown = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.TABLE)
    return shown.placement(LegendPlacement.BOTTOM).calcs(["mean", "max"])


def render(board: Board, namespace: str = "") -> str:
    """A dashboard as Grafana imports it, JSON."""
    prefix = f"{namespace}_" if namespace else ""
    drawn = (
        dashboard.Dashboard(f"otel-mas: {board.title}")
        .uid(f"otel-mas-{board.name}")
        .description(board.about)
        .tags(["otel-mas"])
        .time("now-6h", "now")
        .refresh("1m")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .link(
            dashboard.DashboardLink("otel-mas").type(DashboardLinkType.DASHBOARDS).tags(["otel-mas"]).as_dropdown(True)
        )
    )
    for title, expression, unit in board.glance:
        drawn.with_panel(figure(title, expression.format(ns=prefix), unit, 24 // len(board.glance)))
    for metric in metrics_of(board):
        drawn.with_panel(panel(metric, prefix))
    return JSONEncoder(sort_keys=True, indent=2).encode(drawn.build()) + "\n"


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=Path(__file__).with_name("dashboards"), help="the folder")
    parser.add_argument("--namespace", default="", help="as OTEL_MAS_METRICS_NAMESPACE")
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        (arguments.into / f"{board.name}.json").write_text(render(board, arguments.namespace))


if __name__ == "__main__":
    main()
