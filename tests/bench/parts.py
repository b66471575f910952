"""The parts with a budget of their own, each beside its budget."""

from __future__ import annotations

import asyncio
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

RUNS = 7
_PORTION = 2_000  # spans: at a full batch (2,048) the writer begins by itself, and its work would not be counted
OTEL_MAS = Path(sys.executable).with_name("otel-mas")


def report() -> None:
    """Print the table of parts. Each is measured in processes of its own."""
    print("\n### Parts\n")
    print("| what | seen | budget |")
    print("|---|---|---|")
    recorded = (recording, app_metrics, personal_data, task_values, log_calls, profiled_functions, event_loop)
    for row in (*recorded, imports, command_line, reading):
        row()


def _row(what: str, seen: str, budget: str) -> None:
    print(f"| {what} | {seen} | {budget} |", flush=True)


def _isolated(function: str, *arguments: object) -> list[float]:
    """What a function of this module prints in a process of its own."""
    code = f"from tests.bench import parts; parts.{function}({', '.join(map(repr, arguments))})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return [float(number) for number in done.stdout.split()]


def recording() -> None:
    with tempfile.TemporaryDirectory() as folder:
        on_end, row = _isolated("measure_recording", str(Path(folder) / "runs.db"), 20_000)
    _row("mirror `on_end` on the app's thread", f"{on_end:.1f} µs", "2 µs")
    _row("span from the queue to a committed row", f"{row:.0f} µs CPU", "25 µs CPU")


def app_metrics() -> None:
    kept, measured = _isolated("measure_app_metrics")
    _row("metrics of the app, on the writer's thread, a span", f"{kept:.1f} µs", "2 µs")
    _row("the same, on the thread of the reader that collects", f"{measured:.0f} µs", "")


def measure_app_metrics() -> None:
    """Prints microseconds of CPU a span of the example team: kept by the writer, and measured as a reader collects."""
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.trace import SpanContext, SpanKind, Status

    import otel_mas
    from otel_mas.api.metering import ended_spans
    from otel_mas.config import Settings
    from otel_mas.record.pipeline.app_metrics import AppMetrics
    from otel_mas.record.pipeline.queue import SpanQueue
    from otel_mas.record.pipeline.span_data import SpanData

    metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()]))
    team = Path(__file__).parents[1] / "answers" / "example_team.jsonl.gz"
    with otel_mas.open(team) as source:
        spans = list(ended_spans(source._port))

    def copy(span: Any, run: int) -> SpanData:
        trace = int(span.trace_id, 16) ^ run
        own, parent = (
            None if one is None else SpanContext(trace, int(one, 16), is_remote=False)
            for one in (span.span_id, span.parent_span_id)
        )
        values: Any = (own, parent, span.name, SpanKind.INTERNAL, span.start_ns, span.end_ns, dict(span.attributes), ())
        return SpanData(*values, Status(), None, None, 1_000)  # type: ignore[arg-type] # neither is looked at

    runs = [[copy(span, run) for span in spans] for run in range(100)]
    measuring = AppMetrics(Settings.from_env(), SpanQueue(1, 1, wake=lambda: None), str)
    for each in (lambda: [measuring.keep(run) for run in runs], measuring.measure):
        print(_cpu(each) / (len(runs) * len(spans)) * 1e6)


def personal_data() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, off = _isolated("measure_recording", str(Path(folder) / "off.db"), 20_000)
        _, on = _isolated("measure_recording", str(Path(folder) / "on.db"), 20_000, "all")
    secrets, both = _isolated("measure_text")
    _row("the same, without personal data of all kinds", f"{on / off:.2f} ×", "1.2 ×")
    _row("ordinary text without secrets and personal data, against without secrets", f"{both / secrets:.2f} ×", "2.5 ×")


def measure_text() -> None:
    """Prints seconds of CPU for a megabyte of text: without secrets, and without personal data as well."""
    from otel_mas.config.personal import KINDS
    from otel_mas.privacy.personal.removal import PersonalData
    from otel_mas.privacy.stored import Privacy

    page = Path(__file__).parents[2].joinpath("docs", "decisions.md").read_text()
    text = page * (2**20 // len(page))
    for personal in (None, PersonalData(list(KINDS), regions=["US"])):
        privacy = Privacy("redacted", personal=personal)
        privacy.value("warm", text[:10_000])
        print(_fastest(lambda privacy=privacy: _cpu(lambda: privacy.value("message", text)), 3))  # type: ignore[misc]


def _cpu(call: Callable[[], object]) -> float:
    before = time.process_time()
    call()
    return time.process_time() - before


def task_values() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (took,) = _isolated("measure_task_values", str(Path(folder) / "runs.db"))
    _row("`mas.task.input`: what a `Send` gives a task", f"{took:.1f} µs", "10 µs")


def measure_task_values(path: str) -> None:
    """Prints µs to record what a `Send` gives a task: a dict of a text, a number and a list."""
    import otel_mas
    from otel_mas.instrumentation.langgraph.task_values import record_given
    from otel_mas.model.channels import PUSH
    from otel_mas.record import recorder

    otel_mas.instrument(store=path)
    sent = SimpleNamespace(path=(PUSH, 0), input={"topic": "trams " * 20, "number": 3, "sources": ["a", "b", "c"]})

    def took() -> float:
        spans = [recorder().start_span("task node", {}) for _ in range(200)]
        before = time.thread_time_ns()
        for span in spans:
            record_given(recorder(), span, sent)
        spent = (time.thread_time_ns() - before) / len(spans) / 1e3
        for span in spans:
            span.end()
        return spent

    print(_fastest(took, 20))


def log_calls() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bare, outside, below, kept = _isolated("measure_log_calls", str(Path(folder) / "runs.db"))
    _row("a log call outside of any span, over one without otel-mas", f"{outside - bare:+.2f} µs", "1 µs")
    _row("one in a span, below the level that is kept", f"{below - bare:+.1f} µs", "10 µs")
    _row("one in a span that is kept", f"{kept - bare:+.1f} µs", "50 µs")


def measure_log_calls(path: str) -> None:
    """Prints µs a call of `logging`: bare, outside of a span, in one below the level that is kept, and kept."""
    import logging

    import otel_mas

    logger = logging.getLogger("bench")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.NullHandler())

    def took(level: int, calls: int) -> float:
        return _cpu(lambda: [logger.log(level, "call %d", number) for number in range(calls)]) / calls * 1e6

    print(_fastest(lambda: took(logging.WARNING, 10_000), 20))
    otel_mas.instrument(store=path)
    print(_fastest(lambda: took(logging.WARNING, 10_000), 20))
    for level in (logging.INFO, logging.WARNING):
        best = 1e9
        for _ in range(100):
            with otel_mas.task("task"):
                best = min(best, took(level, 100))
        print(best)


def measure_recording(path: str, count: int, personal: str = "off") -> None:
    """Prints µs of `on_end`, and µs of CPU a span from the queue to the store."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    import otel_mas
    from otel_mas.record.sdk.processor import RecordingProcessor

    provider = TracerProvider()
    trace.set_tracer_provider(provider)
    otel_mas.instrument(store=path, flush_interval_ms=600_000, personal_data=personal)
    tracer = trace.get_tracer("bench")
    attributes = {f"app.attribute.{number}": f"value {number % 5}" for number in range(14)}
    tracer.start_span("warm", attributes=attributes).end()
    otel_mas.flush(60)
    best = _fastest(lambda: _on_end(tracer, attributes, RecordingProcessor), 20)
    otel_mas.flush(60)
    took = 0.0
    for _ in range(count // _PORTION):
        for _ in range(_PORTION):
            tracer.start_span("span", attributes=attributes).end()
        before = time.process_time()
        otel_mas.flush(120)
        took += time.process_time() - before
    print(best, took / count * 1e6)


def _on_end(tracer: Any, attributes: dict[str, str], kind: type) -> float:
    """µs a call of our processor's `on_end`, for 200 ended spans."""
    from opentelemetry import trace

    processors = trace.get_tracer_provider()._active_span_processor._span_processors  # type: ignore[attr-defined]
    ours = next(one for one in processors if isinstance(one, kind))
    spans = [tracer.start_span("span", attributes=attributes) for _ in range(200)]
    readable = [span._readable_span() for span in spans]
    before = time.thread_time_ns()
    for span in readable:
        ours.on_end(span)
    return (time.thread_time_ns() - before) / len(spans) / 1e3


def _fastest(measure: Callable[[], float], times: int) -> float:
    return min(measure() for _ in range(times))


def profiled_functions() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = _isolated("measure_profiled", str(Path(folder) / "runs.db"), 50_000)
    for kind, (bare, off, counted) in (("function", found[:3]), ("coroutine function", found[3:])):
        what = f"`profiled` {kind}, over a call of {bare:.0f} ns"
        _row(f"{what}, nothing recorded", f"{off - bare:.0f} ns, {off / bare:.1f} ×", "300 ns")
        _row(f"{what}, counted", f"{counted - bare:.0f} ns, {counted / bare:.1f} ×", "1,000 ns")


def measure_profiled(path: str, count: int) -> None:
    """Prints ns a call of a function and of a coroutine function: bare, profiled with recording off, and counted."""
    import otel_mas

    def plain(value: int) -> int:
        return value

    async def coroutine(value: int) -> int:
        return value

    def calls(function: Any) -> float:
        before = time.thread_time_ns()
        for number in range(count):
            function(number)
        return (time.thread_time_ns() - before) / count

    async def awaits(function: Any) -> float:
        before = time.thread_time_ns()
        for number in range(count):
            await function(number)
        return (time.thread_time_ns() - before) / count

    measures = (
        lambda function: _fastest(lambda: calls(function), RUNS),
        lambda function: _fastest(lambda: asyncio.run(awaits(function)), RUNS),
    )
    kinds = zip(measures, (plain, coroutine), strict=True)
    pairs = [(measure, function, otel_mas.profiled(function)) for measure, function in kinds]
    off = [(measure(function), measure(profiled)) for measure, function, profiled in pairs]
    otel_mas.instrument(store=path)
    with otel_mas.task("bench"):
        counted = [measure(profiled) for measure, _, profiled in pairs]
    print(*(number for before, after in zip(off, counted, strict=True) for number in (*before, after)))


def event_loop() -> None:
    watch, share = _isolated("measure_event_loop", 50_000)
    _row("event-loop lag: a task's beginning and end", f"{watch:.1f} µs", "2 µs")
    _row("event-loop lag: processor while a task waits", f"{share:.2f} %", "0.5 %")


def measure_event_loop(count: int) -> None:
    """Prints µs to watch a loop and stop, and per cent of a processor while one is watched and nothing happens."""
    from otel_mas.record.event_loop import watch_loop

    async def main() -> None:
        open_all_along = watch_loop()
        before = time.thread_time_ns()
        for _ in range(count):
            watch = watch_loop()
            assert watch is not None
            watch.end()
        took = (time.thread_time_ns() - before) / count / 1e3
        before = time.process_time_ns()
        await asyncio.sleep(5)
        print(took, (time.process_time_ns() - before) / 5e9 * 100)
        assert open_all_along is not None

    asyncio.run(main())


def imports() -> None:
    sdk = [_seconds([sys.executable, "-c", "import opentelemetry.sdk.trace"]) for _ in range(RUNS)]
    both = [_seconds([sys.executable, "-c", "import opentelemetry.sdk.trace, otel_mas"]) for _ in range(RUNS)]
    over = statistics.median(both) - statistics.median(sdk)
    _row("`import otel_mas` over `opentelemetry.sdk.trace`", f"{over * 1e3:.0f} ms", "60 ms")


def command_line() -> None:
    took = statistics.median(_seconds([str(OTEL_MAS), "--help"]) for _ in range(RUNS))
    _row("`otel-mas --help`", f"{took * 1e3:.0f} ms", "250 ms")


def _seconds(command: list[str]) -> float:
    before = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - before


def reading() -> None:
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.db", Path(folder) / "large.db"
        _isolated("record_trace", str(small), 25_000)
        _isolated("record_trace", str(large), 100_000)
        quarter, _ = _isolated("measure_reading", str(small), 25_000)
        whole, memory = _isolated("measure_reading", str(large), 100_000)
    _row("trace of 100,000 spans: read, graph, critical path", f"{whole:.2f} s CPU", "1.5 s")
    _row("the same, against four times 25,000 spans", f"{whole / (4 * quarter):.2f} ×", "linear: 1 ×")
    _row("memory a span, graph and path included", f"{memory:.0f} bytes", "1,024 bytes")


def record_trace(path: str, count: int) -> None:
    """One trace of `count` spans under one root, each caused by the one before it."""
    from opentelemetry import trace

    import otel_mas
    from otel_mas.record import Cause, recorder
    from otel_mas.semconv.enums import LinkKind

    otel_mas.instrument(store=path)
    root = recorder().start_span("invoke_workflow bench", {})
    context, causes = trace.set_span_in_context(root), []
    for number in range(count - 1):
        attributes = {"mas.task.id": f"{number:032x}", "mas.task.name": "node", "mas.task.step": number}
        span = recorder().start_span("task node", attributes, causes=causes, parent=context)
        span.end()
        causes = [Cause(span.get_span_context(), LinkKind.TRIGGER)]
        if number % 5_000 == 0:
            otel_mas.flush(60)
    root.end()
    if not otel_mas.flush(120):
        raise SystemExit("not everything was stored")


def measure_reading(path: str, count: int) -> None:
    """Prints CPU seconds from opening the store to the critical path, and bytes of memory a span."""
    import networkx  # noqa: F401 - loading it is not what is measured

    import otel_mas
    import otel_mas.causal

    with otel_mas.open(path) as source:
        source.traces(limit=1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        graph = source.latest().graph()
        path_of = graph.critical_path()
        took = time.process_time() - start
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if len(graph.spans) != count or path_of.total_ns <= 0:
            raise SystemExit(f"{len(graph.spans)} spans read of {count}")
    print(took, grown * 1024 / count)
