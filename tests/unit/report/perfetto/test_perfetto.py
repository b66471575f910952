"""Traces for Perfetto, read with the messages of Perfetto's own package."""

from __future__ import annotations

from collections import Counter, defaultdict
from types import ModuleType
from typing import Any

from hypothesis import given
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import DebugAnnotation, Trace, TrackEvent

from otel_mas.causal import CHILD, CausalGraph, build
from otel_mas.report.perfetto import messages, perfetto
from otel_mas.semconv import attributes as names
from tests.unit.report.graph_strategies import graphs


def read(graph: CausalGraph) -> Any:
    """The trace as Perfetto's messages have it; each field is one of theirs, in its place and of its type."""
    written = perfetto([graph])
    trace = Trace()
    trace.ParseFromString(written)
    ours = messages.Trace()
    ours.ParseFromString(written)
    # What a reader does not know, or knows under another type, it keeps as bytes, and leaves out of its text.
    assert str(trace).count("\n") == str(ours).count("\n")
    trace.DiscardUnknownFields()
    assert trace.ByteSize() == len(written)
    return trace


def values(event: Any) -> dict[str, object]:
    found: dict[str, object] = {}
    for annotation in event.debug_annotations:
        assert isinstance(annotation, DebugAnnotation)
        found[annotation.name] = getattr(annotation, annotation.WhichOneof("value"))
    return found


@given(graphs())
def test_slices_nest_on_described_tracks(graph: CausalGraph) -> None:
    described: set[int] = set()
    opened: dict[int, int] = defaultdict(int)
    last: dict[int, int] = defaultdict(int)
    begun = 0
    for number, packet in enumerate(read(graph).packet):
        assert packet.trusted_packet_sequence_id
        assert bool(packet.sequence_flags) == (number == 0)
        if packet.HasField("track_descriptor"):
            descriptor = packet.track_descriptor
            assert descriptor.uuid not in described
            assert descriptor.HasField("process") or descriptor.parent_uuid in described
            described.add(descriptor.uuid)
        elif packet.HasField("track_event"):
            event, track = packet.track_event, packet.track_event.track_uuid
            assert track in described
            assert packet.timestamp >= last[track]
            last[track] = packet.timestamp
            opened[track] += 1 if event.type == TrackEvent.TYPE_SLICE_BEGIN else -1
            assert opened[track] >= 0
            begun += event.type == TrackEvent.TYPE_SLICE_BEGIN
    assert not any(opened.values())
    assert begun == len(graph.spans)


@given(graphs())
def test_each_flow_leads_from_a_cause_to_its_later_effect(graph: CausalGraph) -> None:
    begins: dict[int, str] = {}
    pairs = []
    events = [packet for packet in read(graph).packet if packet.HasField("track_event")]
    for packet in sorted(events, key=lambda packet: packet.timestamp):
        span_id = values(packet.track_event).get("span_id")
        pairs += [(begins.pop(flow), span_id) for flow in packet.track_event.terminating_flow_ids]
        for flow in packet.track_event.flow_ids:
            assert flow not in begins
            begins[flow] = str(span_id)
    assert not begins
    starts = {span.span_id: span.start_ns for span in graph.spans}
    expected = [
        (edge.cause, edge.effect)
        for edge in graph.edges
        if edge.kind != CHILD and edge.cause in starts and starts[edge.cause] < starts[edge.effect]
    ]
    assert Counter(pairs) == Counter(expected)


def test_slices_say_what_they_are_and_what_caused_them(team: ModuleType) -> None:
    trace = read(build(team.research_traces()))
    events = {packet.track_event.name: packet.track_event for packet in trace.packet if packet.track_event.name}
    collect = values(events["task collect"])
    assert "trigger from summarise#3" in str(collect["caused by"])
    assert list(events["task collect"].categories) == ["AGENT_TASK"]
    assert collect[names.MAS_TASK_NAME] == "collect"
    processes = [one.track_descriptor.process.process_name for one in trace.packet if one.track_descriptor.process.pid]
    assert len(processes) == 1


def test_a_slice_has_no_content(team: ModuleType) -> None:
    shown = {
        annotation.name
        for packet in read(build(team.research_traces())).packet
        for annotation in packet.track_event.debug_annotations
    }
    assert not any("message" in name or "content" in name for name in shown)
