"""Answers over many runs as tables in words: the newest, or the most important, first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from otel_mas.analyse.call_chains import Call
from otel_mas.analyse.comparison import ComparedMeasure, Comparison, Verdict
from otel_mas.analyse.events import RunEvent
from otel_mas.analyse.execution_statistics import ExecutionStatistics
from otel_mas.analyse.executions import Execution
from otel_mas.analyse.findings.groups import FindingGroup
from otel_mas.analyse.metrics import Metric, Window
from otel_mas.analyse.outcome_costs import OutcomeCost
from otel_mas.analyse.root_cause import RootCause
from otel_mas.analyse.stages import Stage
from otel_mas.model import Finding
from otel_mas.report import mining_tables
from otel_mas.report.tables import MOST, Head, Table, table_of
from otel_mas.report.text import (
    beginning,
    count,
    duration,
    listing,
    local_time,
    offset,
    plain,
    share,
    short_ids,
    token_counts,
    usd,
)
from otel_mas.trace_records.payload import json_text
from otel_mas.trace_records.record import TokenCost, TraceRecord

_DEEPEST = 12
_HOUR = 3_600 * 10**9
_PAYLOAD = 200
"""Characters of a payload that are shown."""
_TRACE = Head("trace")


def executions(found: Sequence[Execution], most: int | None = MOST) -> Table:
    """A row for each execution: how long, what its time was spent on, tokens and cost."""
    ids = short_ids([one.trace_id for one in found])
    time, notes = _clock([one.start_ns for one in found])
    heads = (
        *(_TRACE, Head("started"), Head("took", numeric=True), Head("status"), Head("kind")),
        *(Head("what", text=True), Head("model", numeric=True), Head("tools", numeric=True)),
        *(Head("overhead", numeric=True), Head("tokens", numeric=True), Head("cost", numeric=True)),
        Head("error", text=True),
    )

    def row(one: Execution) -> list[str]:
        return [ids[one.trace_id], time(one.start_ns), *_execution(one)]

    return table_of(heads, found, row, "execution", most, notes)


def _execution(one: Execution) -> list[str]:
    took, works = one.duration_ns or 0, one.kind in ("agent", "task")
    return [
        "" if one.duration_ns is None else duration(took),
        one.status,
        one.kind,
        plain((one.task if works else f"{_innermost(one.task)} › {one.name}" if one.task else None) or one.name),
        share(one.model_ns, took) if one.model_ns and one.kind != "model" else "",
        share(one.tool_ns, took) if one.tool_ns and one.kind not in ("tool", "retrieval") else "",
        duration(one.overhead_ns) if works else "",
        token_counts(one.input_tokens, one.output_tokens),
        "" if one.cost_usd is None else usd(one.cost_usd),
        plain(one.error_type or ""),
    ]


def _innermost(label: str) -> str:
    """The last part of a task's label."""
    return label.rpartition("/")[2]


def _clock(times: Sequence[int]) -> tuple[Callable[[int], str], Sequence[str]]:
    """Writes these times; without the day, which is a note then, where it is the same for all."""
    days = {local_time(time)[:10] for time in times}
    if len(days) == 1:
        return (lambda time: local_time(time)[11:]), [f"all on {days.pop()}"]
    return local_time, ()


def statistics(found: Sequence[ExecutionStatistics], most: int | None = MOST) -> Table:
    """A row for each agent, node, tool or model."""
    heads = (
        Head(found[0].by if found else "name", text=True),
        *(Head(title, numeric=True) for title in ("ran", "failed", "success", "P50", "P90", "P99", "model", "tools")),
        *(Head(title, numeric=True) for title in ("overhead", "tokens", "cost")),
        *(Head("models", text=True), Head("errors", text=True)),
    )
    return table_of(heads, found, _statistics, "row", most)


def _statistics(one: ExecutionStatistics) -> list[str]:
    took = one.durations
    prices = [use.cost_usd for use in one.models if use.cost_usd is not None]
    tokens = [sum(getattr(use, side) for use in one.models) for side in ("input_tokens", "output_tokens")]
    return [
        plain(one.name),
        f"{one.executions:,}",
        f"{one.errors:,}" if one.errors else "",
        "" if one.success_rate is None else f"{one.success_rate:.0%}",
        *(duration(value) if took.n else "" for value in (took.p50, took.p90, took.p99)),
        share(one.model_ns, one.total_ns) if one.model_ns else "",
        share(one.tool_ns, one.total_ns) if one.tool_ns else "",
        share(one.overhead_ns, one.total_ns) if one.overhead_ns else "",
        token_counts(tokens[0], tokens[1]),
        usd(sum(prices)) if prices else "",
        "" if one.by == "model" else listing([f"{plain(use.name)} ×{use.calls:,}" for use in one.models], 2),
        listing([f"{plain(name) or 'error'} ×{times:,}" for name, times in one.error_types], 2),
    ]


def outcomes(found: Sequence[OutcomeCost], most: int | None = MOST) -> Table:
    """A row for all runs, and for those of each outcome."""
    heads = (
        Head("outcome", text=True),
        *(Head(title, numeric=True) for title in ("runs", "cost", "each", "all runs' cost per one", "without a price")),
    )
    return table_of(heads, found, _outcome, "outcome", most)


def _outcome(one: OutcomeCost) -> list[str]:
    costs = ("" if value is None else usd(value) for value in (one.usd, one.usd_each, one.usd_per_outcome))
    return [plain(one.outcome), f"{one.runs:,}", *costs, f"{one.unpriced_calls:,}" if one.unpriced_calls else ""]


def chains(found: Sequence[Call], most: int | None = MOST) -> Table:
    """A row for each call, set in by its depth: who was called by whom, how, and why."""
    ids = short_ids([one.execution.trace_id for one in found])
    heads = (
        *(_TRACE, Head("depth", numeric=True), Head("called", text=True), Head("by", text=True), Head("how")),
        *(Head("status"), Head("took", numeric=True), Head("reason", text=True)),
    )
    return table_of(heads, found, lambda one: _call(one, ids[one.execution.trace_id]), "call", most)


def _call(one: Call, trace: str) -> list[str]:
    ran = one.execution
    others = f" and {count(len(one.others), 'other')}" if one.others else ""
    return [
        trace,
        f"{one.depth:,}",
        " " * min(one.depth, _DEEPEST) + plain(_innermost(one.callee)),
        plain(_innermost(one.caller or "")) + others,
        one.kind or "",
        ran.status,
        "" if ran.duration_ns is None else duration(ran.duration_ns),
        f"“{plain(one.reason)}”" if one.reason else "",
    ]


def stages(found: Sequence[Stage], most: int | None = MOST) -> Table:
    """A row for each stage, from the start of its trace."""
    ids = short_ids([one.trace_id for one in found])
    starts: dict[str, int] = {}
    for one in found:
        starts[one.trace_id] = min(one.start_ns, starts.get(one.trace_id, one.start_ns))
    heads = (
        *(_TRACE, Head("start", numeric=True), Head("took", numeric=True), Head("step", numeric=True)),
        *(Head("stage", text=True), Head("tasks", numeric=True), Head("status", text=True)),
    )

    def row(one: Stage) -> list[str]:
        return [
            ids[one.trace_id],
            offset(one.start_ns - starts[one.trace_id]),
            duration(one.duration_ns),
            "" if one.step is None else f"{one.step:,}",
            plain(one.name),
            f"{one.tasks:,}" if one.tasks else "mark",
            plain(one.status or ""),
        ]

    return table_of(heads, found, row, "stage", most)


def events(found: Sequence[RunEvent], most: int | None = MOST) -> Table:
    """A row for each event."""
    ids = short_ids([one.trace_id for one in found])
    time, notes = _clock([one.time_ns for one in found])
    heads = (
        *(_TRACE, Head("time"), Head("type"), Head("name", text=True), Head("agent", text=True)),
        *(Head("node", text=True), Head("took", numeric=True), Head("detail", text=True)),
    )

    def row(one: RunEvent) -> list[str]:
        took = "" if one.duration_ns is None else duration(one.duration_ns)
        words = [plain(word or "") for word in (one.name, one.agent, one.node, one.detail)]
        return [ids[one.trace_id], time(one.time_ns), one.type, *words[:3], took, words[3]]

    return table_of(heads, found, row, "event", most, notes)


def metrics(found: Sequence[Metric], most: int | None = MOST) -> Table:
    """A row for each metric, with a row below for each of its windows. The first heading names the measure."""
    heads = (
        Head(_measured(found[0]) if found else "", text=True),
        *(Head(title, numeric=True) for title in ("n", "mean", "P50", "P90", "P99", "max", "sum")),
        Head("trend", text=True),
    )
    rows: list[list[str]] = []
    for one in found:
        rows.append([plain(one.name) or "all", *_window(one.whole, one.unit), _trend(one)])
        rows += [[f"  {local_time(window.start_ns)}", *_window(window, one.unit), ""] for window in one.windows]
    return table_of(heads, rows, lambda row: row, "value", most)


def _measured(one: Metric) -> str:
    return f"{one.measure} of runs" if one.by == "run" else f"{one.measure} by {one.by}"


def _window(one: Window, unit: str) -> list[str]:
    values = (one.mean, one.p50, one.p90, one.p99, one.max)
    if unit == "share":
        return [f"{one.n:,}", f"{one.mean:.1%}", "", "", "", "", f"{one.sum:,.0f}"]
    return [
        f"{one.n:,}",
        *("" if value is None else quantity(value, unit) for value in values),
        quantity(one.sum, unit),
    ]


def _trend(one: Metric) -> str:
    found = one.trend
    if found is None:
        return ""
    if found.direction == "none":
        return "no trend"
    lasted = one.whole.end_ns - one.whole.start_ns
    change = abs(found.slope) * lasted / _HOUR
    much = f"{change * 100:.1f} points" if one.unit == "share" else quantity(change, one.unit)
    return f"{found.direction} by {much} in {duration(lasted)}"


def comparison(found: Comparison, *, every: bool = False) -> Table:
    """A row for each measure that changed, and for each of the run itself; `every`: for all measures."""
    heads = (
        *(Head("of"), Head("name", text=True), Head("measure")),
        *(Head(title, numeric=True) for title in ("before", "after", "change", "effect", "p", "n")),
        Head("verdict"),
    )
    changed = len(found.changed)
    shown = found.measures if every else [*found.changed, *(one for one in found.measures[changed:] if one.of == "run")]
    unknown = sum(one.verdict == Verdict.CANNOT_TELL for one in found.measures)
    notes = [
        f"{changed:,} of {count(len(found.measures), 'measure')} changed, over {count(found.runs_before, 'run')} before"
        f" and {found.runs_after:,} after" + (f"; {unknown:,} have too few runs to tell" if unknown else "")
    ]
    return Table(heads, [_compared(one) for one in shown], "measure", len(found.measures) - len(shown), notes)


def _compared(one: ComparedMeasure) -> list[str]:
    change = ""
    if one.change is not None:
        change = f"{one.change * 100:+.0f} points" if one.unit == "share" else f"{one.change:+.0%}"
    return [
        one.of,
        plain(one.name),
        one.measure,
        *("" if value is None else quantity(value, one.unit) for value in (one.before, one.after)),
        change,
        "" if one.effect is None else f"{one.effect:+.2f}",
        "" if one.p_adjusted is None else f"{one.p_adjusted:.3f}" if one.p_adjusted >= 0.001 else "<0.001",
        f"{one.n_before:,}/{one.n_after:,}",
        one.verdict.value,
    ]


def quantity(value: float, unit: str) -> str:
    """A value with its unit, for people."""
    if unit == "s":
        return duration(round(value * 1e9))
    if unit == "USD":
        return usd(value)
    if unit == "share":
        return f"{value:.0%}"
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.1f}"


def findings(found: Sequence[Finding], most: int | None = MOST) -> Table:
    """A row for each finding, the worst first."""
    heads = (
        *(Head("severity"), Head("what", text=True), Head("sure", numeric=True), Head("took", numeric=True)),
        *(Head("cost", numeric=True), Head("what to do", text=True)),
    )
    return table_of(heads, found, _finding, "finding", most)


def finding_groups(found: Sequence[FindingGroup], most: int | None = MOST) -> Table:
    """A row for each finding that many runs may have, the worst first, with one run that has it."""
    ids = short_ids([one.example_trace for one in found])
    heads = (
        *(Head("severity"), Head("runs", numeric=True), Head("share", numeric=True), Head("trend"), Head("code")),
        *(Head("for example", text=True), Head("took", numeric=True), Head("cost", numeric=True), _TRACE),
    )

    def row(one: FindingGroup) -> list[str]:
        return [
            one.severity.value,
            str(len(one.traces)),
            f"{one.share:.0%}",
            one.trend.value,
            one.code,
            plain(one.example.summary),
            duration(one.saves_ns) if one.saves_ns else "",
            usd(one.saves_usd) if one.saves_usd else "",
            ids[one.example_trace],
        ]

    return table_of(heads, found, row, "finding", most)


def _finding(one: Finding) -> list[str]:
    return [
        one.severity.value,
        plain(one.summary),
        f"{one.confidence:.0%}",
        duration(one.saves_ns) if one.saves_ns else "",
        usd(one.saves_usd) if one.saves_usd else "",
        plain(one.advice),
    ]


def root_cause(found: Sequence[RootCause], most: int | None = 10) -> Table:
    """A row for each span that may be the root cause."""
    heads = (Head("score", numeric=True), Head("agent"), Head("span"), Head("reasons", text=True))

    def row(one: RootCause) -> list[str]:
        return [f"{one.score:.0%}", plain(one.agent or ""), one.span, plain("; ".join(one.reasons))]

    return table_of(heads, found, row, "root cause", most)


def records(found: Sequence[TraceRecord], most: int | None = MOST) -> Table:
    """A row for each trace record, with the beginning of its payload."""
    ids = short_ids(list(dict.fromkeys(one.trace_id for one in found)))
    time, notes = _clock([one.timestamp for one in found])
    heads = (
        *(_TRACE, Head("time"), Head("type"), Head("name", text=True), Head("agent", text=True)),
        *(Head("took", numeric=True), Head("tokens", numeric=True), Head("cost", numeric=True)),
        Head("payload", text=True),
    )

    def row(one: TraceRecord) -> list[str]:
        cost = one.token_cost or TokenCost()
        return [
            *(plain(ids[one.trace_id]), time(one.timestamp), one.event_type.value),
            *(plain(one.name), plain(one.agent_name or "")),
            duration(one.duration_ns) if one.duration_ns > 0 else "",
            token_counts(cost.prompt or 0, cost.completion or 0),
            "" if cost.usd is None else usd(cost.usd),
            "" if one.payload is None else plain(beginning(json_text(one.payload), _PAYLOAD)),
        ]

    return table_of(heads, found, row, "record", most, notes)


TABLES: Mapping[str, Callable[..., Table]] = {
    "executions": executions,
    "statistics": statistics,
    "chains": chains,
    "stages": stages,
    "events": events,
    "metrics": metrics,
    "outcomes": outcomes,
    "findings": findings,
    "finding_groups": finding_groups,
    "root_cause": root_cause,
    **mining_tables.TABLES,
}
"""By the name of the answer, as in its JSON document."""

__all__ = [
    "MOST",
    "TABLES",
    "chains",
    "comparison",
    "events",
    "executions",
    "findings",
    "metrics",
    "outcomes",
    "records",
    "stages",
    "statistics",
]
