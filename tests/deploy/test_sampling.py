"""The gateway's Collector, with the configuration that the chart gives it: which runs it keeps."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

import otel_mas
from otel_mas.semconv import attributes as names
from otel_mas.semconv.enums import RunOutcome, Verdict
from tests.backends.jaeger import free_ports
from tests.backends.otelcol import Otelcol
from tests.deploy.kubernetes import REPOSITORY, find, render
from tests.serving.server import Server

COMPOSE = REPOSITORY / "deploy" / "compose"
PERCENT = 40
_ARRIVES_WITHIN_S = 120.0
_RANDOM = Random(15)


@dataclass
class Run:
    """One trace: a root span, and two spans below it."""

    conversation: str | None = None
    failed: bool = False
    seconds: float = 1.0
    attributes: dict[str, str] = field(default_factory=dict)
    trace_id: bytes = field(default_factory=lambda: _RANDOM.randbytes(16))
    root: bytes = field(default_factory=lambda: _RANDOM.randbytes(8))

    @property
    def id(self) -> str:
        return self.trace_id.hex()

    def spans(self) -> list[Span]:
        """The root last, as it ends last."""
        return [self.step("fetch"), self.step("write", self.failed, self.attributes), self._root()]

    def step(self, name: str, failed: bool = False, attributes: dict[str, str] | None = None) -> Span:
        """A span below the root."""
        status = Status.STATUS_CODE_ERROR if failed else Status.STATUS_CODE_UNSET
        return self._span(name, _RANDOM.randbytes(8), self.root, attributes or {}, Status(code=status))

    def _root(self) -> Span:
        conversation = {} if self.conversation is None else {names.GEN_AI_CONVERSATION_ID: self.conversation}
        return self._span("workflow", self.root, b"", conversation, Status())

    def _span(self, name: str, own: bytes, parent: bytes, attributes: dict[str, str], status: Status) -> Span:
        end = time.time_ns()
        return Span(
            trace_id=self.trace_id,
            span_id=own,
            parent_span_id=parent,
            name=name,
            start_time_unix_nano=end - int(self.seconds * 1e9),
            end_time_unix_nano=end,
            attributes=[KeyValue(key=key, value=AnyValue(string_value=one)) for key, one in attributes.items()],
            status=status,
        )


@pytest.fixture
def sink(serve: Callable[..., Server]) -> Server:
    """The backend that the gateway passes runs on to."""
    return serve()


@pytest.fixture
def gateway(helm: Path, otelcol_binary: Path, sink: Server, tmp_path: Path) -> Iterator[Otelcol]:
    """The Collector with the chart's configuration, on ports of its own."""
    exporters = {"otlp_grpc/sink": {"endpoint": sink.grpc, "tls": {"insecure": True}}}
    sampling = {"afterRoot": "1s", "percent": PERCENT}
    values = {"exporters": exporters, "sampling": sampling, "env": []}
    options = ("--set-json", f"gateway={orjson.dumps(values | {'enabled': True}).decode()}")
    config = find(render(helm, "", *options), "ConfigMap")["data"]["collector.yaml"]
    ports = free_ports(4)
    for old, new in zip((":4317", ":4318", ":13133", "port: 8888"), ports, strict=True):
        assert old in config
        config = config.replace(old, f"{old.partition(':')[0]}:{' ' * old.startswith('port')}{new}")
    file = tmp_path / "collector.yaml"
    file.write_text(config)
    with Otelcol(otelcol_binary, str(file), tmp_path / "gateway", {"POD_IP": "127.0.0.1"}, ports) as collector:
        yield collector


@pytest.mark.parametrize("file", ["chart gateway", "chart both", "compose"])
def test_the_collector_takes_each_configuration(file: str, helm: Path, otelcol_binary: Path, tmp_path: Path) -> None:
    origin, _, values = file.partition(" ")
    path = COMPOSE / "collector.yaml"
    if origin == "chart":
        path = tmp_path / "collector.yaml"
        config = next(one for one in render(helm, values) if one["kind"] == "ConfigMap")
        path.write_text(config["data"]["collector.yaml"])
    settings = {"POD_IP": "127.0.0.1", "TENANT": "agents", "OTEL_MAS_TOKEN": "a-token-of-this-test"}
    Otelcol(otelcol_binary, str(path), tmp_path, settings).validate()


def test_failed_slow_and_flagged_runs_are_kept_and_a_share_of_the_conversations(gateway: Otelcol, sink: Server) -> None:
    """Each kept run is kept whole, and of each conversation all runs or none, whenever they come."""
    conversations = [f"thread-{number}" for number in range(40)]
    first, second = ([Run(one) for one in conversations] for _ in range(2))
    always = [
        *(Run(one, failed=True) for one in conversations[:5]),
        *(Run(f"slow-{number}", seconds=31.0) for number in range(3)),
        *(Run(attributes={names.MAS_GUARDRAIL_VERDICT: Verdict.BLOCK.value}) for _ in range(3)),
        *(Run(attributes={names.MAS_RUN_OUTCOME: RunOutcome.CANCELLED.value}) for _ in range(3)),
    ]
    unflagged = [Run("passed-0", attributes={names.MAS_GUARDRAIL_VERDICT: Verdict.PASS.value})]
    alone = [Run() for _ in range(60)]
    shared = [*first, *second, *unflagged]
    chosen = [run for run in shared if is_chosen(run.conversation)]
    assert 10 < len(chosen) < 70

    send(gateway, [*first, *always, *unflagged, *alone])
    send_last(gateway, sink)
    send(gateway, second)
    send_last(gateway, sink)
    kept = wait_for(gateway, sink, {run.id: 3 for run in (*always, *chosen)})

    assert {run.id for run in shared} & kept.keys() == {run.id for run in chosen}
    assert 0 < len({run.id for run in alone} & kept.keys()) < len(alone)


def test_a_span_that_comes_late_goes_where_its_run_went(gateway: Otelcol, sink: Server) -> None:
    kept = Run("thread-1", failed=True)
    dropped = next(run for run in map(Run, map(str, range(99))) if not is_chosen(run.conversation))
    send(gateway, [kept, dropped])
    send_last(gateway, sink)
    gateway.send(request([kept.step("late"), dropped.step("late", failed=True)]))
    send_last(gateway, sink)

    found = wait_for(gateway, sink, {kept.id: 4})
    assert sorted(found[kept.id]) == ["fetch", "late", "workflow", "write"]
    assert dropped.id not in found


def is_chosen(conversation: str | None) -> bool:
    """Whether a conversation is in the share, as the chart's policy computes it."""
    assert conversation is not None
    return int(hashlib.sha256(conversation.encode()).hexdigest()[:4], 16) < round(655.36 * PERCENT)


def send(gateway: Otelcol, runs: Sequence[Run]) -> None:
    """The spans of each run one by one, those of different runs between each other."""
    for spans in zip(*(run.spans() for run in runs), strict=True):
        gateway.send(request(spans))


def request(spans: Sequence[Span]) -> bytes:
    scope = ScopeSpans(spans=spans)
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[scope])]).SerializeToString()


def send_last(gateway: Otelcol, sink: Server) -> None:
    """Send one more run that is kept, and wait for it: runs that came before it have been decided on by then."""
    last = Run(failed=True)
    time.sleep(1.1)  # decisions are made once a second, for all runs whose time has come
    send(gateway, [last])
    wait_for(gateway, sink, {last.id: 3})


def wait_for(gateway: Otelcol, sink: Server, spans: Mapping[str, int]) -> dict[str, list[str]]:
    """The names of the spans of each run that came through, once that many of these runs have."""
    found: dict[str, list[str]] = {}

    def have_come() -> bool:
        found.update(received(sink))
        return all(len(found.get(one, ())) >= count for one, count in spans.items())

    wait_until(gateway, have_come)
    return found


def wait_until(gateway: Otelcol, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _ARRIVES_WITHIN_S
    while not condition():
        assert time.monotonic() < deadline, gateway.log.read_text()[-2000:]
        time.sleep(0.2)


def received(sink: Server) -> dict[str, list[str]]:
    with otel_mas.open(sink.store) as source:
        found = [summary.trace_id for summary in source.traces(limit=10_000)]
        return {one: [span.name for span in source.trace(one).spans] for one in found}
