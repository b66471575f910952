"""Runs the apps under another instrumentation, in its environment; prints a line of JSON for each: its name and OTLP.

Started by `tests.accuracy.foreign_causes.record`.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.accuracy.cases import CASES
from tests.accuracy.cases.case import ainvoke, invoke
from tests.accuracy.foreign_causes import random_graphs
from tests.accuracy.topologies import TOPOLOGIES, build

_IDS = ("traceId", "spanId", "parentSpanId")
_LEFT_OUT = ("exception.stacktrace",)
"""It has paths of the machine."""


def runs() -> Iterator[tuple[str, Callable[[], Any]]]:
    """The name of each app with what runs it, once. None depends on what ran before."""
    for case in CASES:
        if not case.lacks:
            yield case.name, partial(case.execute, ainvoke if case.only == "async" else invoke)
    for seed in random_graphs.SEEDS:
        yield f"random {seed}", partial(random_graphs.run, seed)
    for topology in TOPOLOGIES:
        if topology == "team":
            continue  # its model is reached by HTTP
        yield f"topology {topology}", lambda topology=topology: build(topology).run()


def _instrument(dialect: str, provider: TracerProvider) -> None:
    if dialect == "openinference":
        from openinference.instrumentation.langchain import LangChainInstrumentor
    elif dialect == "openllmetry":
        from opentelemetry.instrumentation.langchain import LangchainInstrumentor as LangChainInstrumentor
    else:
        from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor
    LangChainInstrumentor().instrument(tracer_provider=provider)


def _plain(value: Any) -> Any:
    """OTLP's JSON of protobuf's: ids in hexadecimal."""
    if isinstance(value, list):
        return [_plain(one) for one in value if not (isinstance(one, dict) and one.get("key") in _LEFT_OUT)]
    if isinstance(value, str):
        return _without_traceback(value)
    if not isinstance(value, dict):
        return value
    return {name: base64.b64decode(one).hex() if name in _IDS else _plain(one) for name, one in value.items()}


def _without_traceback(text: str) -> str:
    return text.partition("Traceback (most recent call last)")[0]


def main(dialect: str) -> None:
    """Run each app and print what was recorded of it."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": dialect}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    _instrument(dialect, provider)
    output = sys.stdout
    for name, run in runs():
        memory.clear()
        with contextlib.redirect_stdout(sys.stderr):
            try:
                run()
            except BaseException as error:
                print(f"{name}: {error!r}", file=sys.stderr)
        request = MessageToDict(encode_spans(memory.get_finished_spans()))
        print(json.dumps({"run": name, **_plain(request)}), file=output, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
