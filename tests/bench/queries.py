"""CPU of the filters over a store of many traces, and of answers over the newest thousand of them."""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from opentelemetry.proto.trace.v1 import trace_pb2

import otel_mas
from otel_mas.api import Source
from otel_mas.model import OWN_SCOPE
from otel_mas.semconv import attributes as names
from otel_mas.store import StoreWriter
from otel_mas.store.columns import column_values
from otel_mas.store.rows import Batch, SpanRow
from tests.conformance.messages import pairs

TRACES, TASKS = 10_000, 16
"""Each trace has a root, and for each task an agent, a model call and a tool call: 49 spans."""
SECOND = 10**9

QUESTIONS: Mapping[str, Callable[[Source], object]] = {
    "traces, no filter": lambda source: source.traces(),
    "status": lambda source: source.traces(status="error"),
    "agent": lambda source: source.traces(agent="agent3"),
    "tool that few called": lambda source: source.traces(tool="tool7"),
    "tool that none called": lambda source: source.traces(tool="nothing"),
    "model": lambda source: source.traces(model="model1"),
    "error type": lambda source: source.traces(error_type="TimeoutError"),
    "shortest duration": lambda source: source.traces(min_duration="5s"),
    "age": lambda source: source.traces(older_than="1d"),
    "attribute of a process": lambda source: source.traces(attribute={"service.version": "2"}),
    "attribute that none has": lambda source: source.traces(attribute={"no.such.attribute": "x"}),
    "attribute that all have, another value": lambda source: source.traces(attribute={"some.attribute.3": "x"}),
    "metrics of 10,000 runs, by day": lambda source: source.metrics("duration", window="1d", limit=TRACES),
    "executions of 1,000 traces": lambda source: source.executions(),
    "agents of 1,000 traces": lambda source: source.executions().by("agent"),
    "comparison of 100 with 100": lambda source: source.compare(
        before={"attribute": {"service.version": "1"}}, after={"attribute": {"service.version": "2"}}, limit=100
    ),
}


def report() -> None:
    """Print the table."""
    print(f"\n### Questions over {TRACES:,} traces of {1 + 3 * TASKS} spans\n")
    print("| what | CPU |")
    print("|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        write(path)
        with otel_mas.open(path) as source:
            source.metrics("duration", by="agent", limit=20)  # loads what questions import
            for name, ask in QUESTIONS.items():
                began = time.process_time()
                ask(source)
                print(f"| {name} | {time.process_time() - began:.2f} s |", flush=True)


def write(path: Path) -> None:
    """Write the store."""
    writer = StoreWriter(path, instance_id=b"bench", run_id=None, service="bench", max_bytes=2**40, max_age_ns=0)
    resources = [
        writer.resource({"service.name": "bench", "service.version": version}, "", b"") for version in ("1", "2")
    ]
    scope = writer.scope(OWN_SCOPE, "1", {}, "")
    rng, now_ns = random.Random(1), time.time_ns()
    for number in range(TRACES):
        trace = _Trace(number, now_ns - (TRACES - number) * 60 * SECOND, resources[number % 2], scope)
        writer.write(Batch(spans=trace.rows(round(2 * SECOND * rng.lognormvariate(0, 0.3)))))
    writer.finish((), 0)
    writer.close()


class _Trace:
    """One trace; every seventeenth fails at its end."""

    def __init__(self, number: int, start_ns: int, resource: int, scope: int) -> None:
        self._number = number
        self._start_ns = start_ns
        self._emitters = resource, scope
        self._id = os.urandom(16)

    def rows(self, duration_ns: int) -> list[SpanRow]:
        failed = self._number % 17 == 0
        outcome = "error" if failed else "ok"
        root = self._row(None, "invoke_workflow", 0, duration_ns, record_kind="WORKFLOW", run_outcome=outcome)
        found, step, previous = [root], duration_ns // TASKS, None
        for place in range(TASKS):
            failing = {"task_outcome": "error", "error_type": "TimeoutError"} if failed and place == TASKS - 1 else {}
            at, agent = place * step, f"agent{place % 8}"
            task = self._row(
                root, "invoke_agent", at, at + step, previous, record_kind="AGENT_TASK", agent=agent,
                task_id=f"task {place}", task_name=agent, task_step=place, **failing,
            )  # fmt: skip
            model, tool = f"model{place % 3}", f"tool{self._number % 50}" if place == 0 else "search"
            call = self._row(task, "chat", at + step // 10, at + step // 2, record_kind="LLM_CALL", request_model=model)
            used = self._row(task, "execute_tool", at + step // 2, at + step, record_kind="TOOL_CALL", tool=tool)
            found += [task, call, used]
            previous = task
        return found

    def _row(
        self, parent: SpanRow | None, operation: str, start: int, end: int, cause: SpanRow | None = None, **columns: Any
    ) -> SpanRow:
        body, values = _encoded(operation, tuple(columns.items()))
        return SpanRow(
            self._id,
            os.urandom(8),
            None if parent is None else parent.span_id,
            operation,
            1,
            self._start_ns + start,
            self._start_ns + end,
            2 if "error_type" in columns else 0,
            values,
            () if cause is None else ((self._id, cause.span_id, "trigger"),),
            body,
            *self._emitters,
        )


_NAMES = {
    "record_kind": names.MAS_RECORD_KIND,
    "run_outcome": names.MAS_RUN_OUTCOME,
    "agent": names.GEN_AI_AGENT_NAME,
    "task_id": names.MAS_TASK_ID,
    "task_name": names.MAS_TASK_NAME,
    "task_step": names.MAS_TASK_STEP,
    "task_outcome": names.MAS_TASK_OUTCOME,
    "error_type": names.ERROR_TYPE,
    "request_model": names.GEN_AI_REQUEST_MODEL,
    "tool": names.GEN_AI_TOOL_NAME,
}


@cache
def _encoded(operation: str, columns: tuple[tuple[str, Any], ...]) -> tuple[bytes, dict[int, object]]:
    """Body and columns of a span of some 600 bytes."""
    attributes = {names.GEN_AI_OPERATION_NAME: operation, **{_NAMES[name]: value for name, value in columns}}
    others = {f"some.attribute.{number}": "v" * 30 for number in range(9)}
    body = trace_pb2.Span(name=operation, attributes=pairs({**attributes, **others}))
    return body.SerializeToString(), column_values(attributes)
