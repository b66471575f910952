"""Health as tables in words: agents, workflows, resources."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.health import AgentHealth, Health, ResourceHealth, WorkflowHealth
from otel_mas.report.tables import Head, Table
from otel_mas.report.text import byte_size, count, duration, local_time, plain

_STATUS, _WHY = Head("health"), Head("why", text=True)


def health_tables(found: Health) -> Iterator[Table]:
    """The tables that have rows."""
    if found.agents:
        yield Table(_AGENT, [_agent(one) for one in found.agents], "agent")
    if found.workflows:
        yield Table(_WORKFLOW, [_workflow(one) for one in found.workflows], "workflow")
    if found.resources:
        yield Table(_RESOURCE, [_resource(one) for one in found.resources], "resource")


_AGENT = (
    *(_STATUS, Head("agent", text=True), Head("done", numeric=True), Head("failed", numeric=True)),
    *(Head("P95", numeric=True), Head("running", numeric=True), Head("last activity"), _WHY),
)
_WORKFLOW = (
    *(_STATUS, Head("workflow", text=True), Head("runs", numeric=True), Head("completed", numeric=True)),
    *(Head("failed", numeric=True), Head("waiting", numeric=True), Head("running", numeric=True), _WHY),
)
_RESOURCE = (_STATUS, Head("resource", text=True), Head("figures", text=True), _WHY)


def _number(value: int) -> str:
    return f"{value:,}" if value else ""


def _why(reasons: tuple[str, ...]) -> str:
    return plain("; ".join(reasons))


def _agent(one: AgentHealth) -> list[str]:
    return [
        *(one.status.value, plain(one.name), f"{one.done:,}", _number(one.errors)),
        *("" if one.p95_ns is None else duration(one.p95_ns), _number(one.running)),
        *("" if one.last_activity_ns is None else local_time(one.last_activity_ns), _why(one.reasons)),
    ]


def _workflow(one: WorkflowHealth) -> list[str]:
    name = one.name if not one.service else f"{one.name} ({one.service})"
    return [
        *(one.status.value, plain(name), f"{one.runs:,}", f"{one.completed:,}", _number(one.failed)),
        *(_number(one.waiting), _number(one.running), _why(one.reasons)),
    ]


def _resource(one: ResourceHealth) -> list[str]:
    return [one.status.value, plain(f"{one.kind} {one.name}"), ", ".join(_figures(one)), _why(one.reasons)]


def _figures(one: ResourceHealth) -> Iterator[str]:
    figures = {name: value for name, value in one.figures.items() if value is not None}
    if one.kind == "disk":
        yield f"store {byte_size(int(figures['store_bytes']))}"
        yield f"{byte_size(int(figures['free_bytes']))} of {byte_size(int(figures['total_bytes']))} free"
        return
    if "rss_bytes" in figures:
        yield f"{byte_size(int(figures['rss_bytes']))} of memory"
    if "cpu" in figures:
        yield f"{figures['cpu']:.0%} of a processor"
    if "queue_spans" in figures:
        yield f"queue {int(figures['queue_spans']):,}"
    if figures.get("event_loop_lag_s"):
        yield f"event loop {duration(int(figures['event_loop_lag_s'] * 1e9))} late"
    if figures.get("open_spans"):
        yield count(int(figures["open_spans"]), "open span")


__all__ = ["health_tables"]
