"""The same app with a tracer provider, a processor and an exporter of its own: `before` its first run or `after` it."""

import json
import sys
import threading
from pathlib import Path

import langgraph.pregel._loop as loop
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from team import HumanMessage, team

when, output = sys.argv[1], Path(sys.argv[2])
tracer = trace.get_tracer("app")
exported: list[str] = []
started: list[str] = []


class Exporter(SpanExporter):
    def export(self, spans):
        exported.extend(span.name for span in spans)
        return SpanExportResult.SUCCESS


class Processor(SpanProcessor):
    def on_start(self, span, parent_context=None):
        started.append(span.name)
        span.set_attribute("app.stamp", "mine")


def run(number: int) -> None:
    with tracer.start_as_current_span(f"app {number}"):
        team.invoke({"messages": [HumanMessage("compare")], "rounds": 1}, {"configurable": {"thread_id": str(number)}})


provider = TracerProvider(resource=Resource.create({"service.name": "mine"}))
provider.add_span_processor(Processor())
provider.add_span_processor(BatchSpanProcessor(Exporter()))
if when == "before":
    trace.set_tracer_provider(provider)
run(1)
if when == "after":
    trace.set_tracer_provider(provider)
run(2)
assert trace.get_tracer_provider() is provider
provider.force_flush()

# Everything of otel-mas that can be seen in this process.
places = (loop.apply_writes, loop.PregelLoop.tick, loop.SyncPregelLoop.__enter__)
state = {
    "exported": exported,
    "started": started,
    "patched": sum(hasattr(function, "__wrapped__") for function in places),
    "hooks": sum(type(finder).__module__.startswith("otel_mas") for finder in sys.meta_path),
    "threads": any(thread.name.startswith("otel-mas") for thread in threading.enumerate()),
}
output.write_text(json.dumps(state))
