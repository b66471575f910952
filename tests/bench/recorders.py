"""How each recorder is switched on in the process that it is measured in, exporting as its own documentation says.

Imported in the recorder's own environment, so each imports what it needs only when chosen. All of them export (or, for
otel-mas, store) everything; every queue is large enough to lose nothing, so that none is fast by dropping.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

_QUEUE = 1 << 20


class Recording(NamedTuple):
    """What a recorder asks of the app: callbacks to pass with each run, and a wait until all has left the process."""

    finish: Callable[[], Any]
    callbacks: tuple[Any, ...] = ()


def start(name: str, target: str) -> Recording:
    """Switch a recorder on; `target` is a store's path, or the sink's endpoint for OTLP over HTTP."""
    return _STARTS[name](target)


def _bare(_: str) -> Recording:
    return Recording(lambda: None)


def _otel_mas(store: str) -> Recording:
    import otel_mas

    otel_mas.instrument(store=store)
    return Recording(lambda: otel_mas.flush(60))


def _provider(endpoint: str) -> Any:
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(
        BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint), max_queue_size=_QUEUE, schedule_delay_millis=500)
    )
    trace.set_tracer_provider(provider)
    return provider


def _openinference(endpoint: str) -> Recording:
    from openinference.instrumentation.langchain import LangChainInstrumentor

    provider = _provider(endpoint)
    LangChainInstrumentor().instrument(tracer_provider=provider)
    return Recording(lambda: provider.force_flush(60_000))


def _openllmetry(endpoint: str) -> Recording:
    from opentelemetry.instrumentation.langchain import LangchainInstrumentor

    provider = _provider(endpoint)
    LangchainInstrumentor().instrument(tracer_provider=provider)
    return Recording(lambda: provider.force_flush(60_000))


def _otel_genai(endpoint: str) -> Recording:
    from opentelemetry.instrumentation.genai.langchain import LangChainInstrumentor

    provider = _provider(endpoint)
    LangChainInstrumentor().instrument(tracer_provider=provider)
    return Recording(lambda: provider.force_flush(60_000))


def _mlflow(endpoint: str) -> Recording:
    os.environ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] = endpoint
    os.environ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf"
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = str(_QUEUE)
    import mlflow
    import mlflow.langchain
    from mlflow.tracing.provider import provider

    mlflow.langchain.autolog()
    return Recording(lambda: (made := provider.get()) and made.force_flush(60_000))  # made with the first span


def _langfuse(endpoint: str) -> Recording:
    os.environ["OTEL_BSP_MAX_QUEUE_SIZE"] = str(_QUEUE)
    from langfuse import Langfuse
    from langfuse.langchain import CallbackHandler

    client = Langfuse(public_key="pk-lf-bench", secret_key="sk-lf-bench", host=endpoint.removesuffix("/v1/traces"))
    return Recording(client.flush, (CallbackHandler(),))


_STARTS: dict[str, Callable[[str], Recording]] = {
    "bare": _bare,
    "otel-mas": _otel_mas,
    "openinference": _openinference,
    "openllmetry": _openllmetry,
    "otel-genai": _otel_genai,
    "mlflow": _mlflow,
    "langfuse": _langfuse,
}
