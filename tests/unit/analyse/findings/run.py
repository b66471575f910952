"""Runs with content, written down by hand, for tests of detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import md5
from typing import Any

import orjson

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.findings import RunFacts
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import Content, Message, MessageRef, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.profile.conftest import Made

made = Made()


def facts(
    *spans: Span,
    messages: Mapping[str, tuple[str, str]] | None = None,
    read: Mapping[str, Sequence[str]] | None = None,
    wrote: Mapping[str, Sequence[str]] | None = None,
    contents: Mapping[str, Mapping[str, Any]] | None = None,
    state: Mapping[str, Mapping[str, Any]] | None = None,
    now_ns: int | None = None,
    **thresholds: float,
) -> RunFacts:
    """Facts of a run of these spans.

    Args:
        messages: role and text of each message, by digest.
        read: digests of the messages that spans read, by span id.
        wrote: digests of the messages that spans wrote, by span id.
        contents: content beside spans, by span id and attribute name.
        state: values that spans wrote to the state, by span id and channel.
        now_ns: as in `RunFacts`.
        thresholds: by name, where not the default.
    """
    refs = [
        MessageRef("t1", span_id, direction, position, digest)
        for direction, by_span in (("input", read), ("output", wrote))
        for span_id, digests in (by_span or {}).items()
        for position, digest in enumerate(digests)
    ]
    bodies = {
        digest: Message(digest, role, {"role": role, "parts": [{"type": "text", "content": text}]})
        for digest, (role, text) in (messages or {}).items()
    }
    for written in (state or {}).values():
        bodies |= {_digest(value): Message(_digest(value), "", {"value": value}) for value in written.values()}
    kept = [
        Content("t1", span_id, name, value)
        for span_id, named in (contents or {}).items()
        for name, value in named.items()
    ]
    content = RunContent.gathered(refs, bodies, kept, kept=True)
    spans = tuple(_with_state(span, (state or {}).get(span.span_id)) for span in spans)
    return RunFacts(made.graph(*spans), content, Thresholds.of(thresholds), now_ns)


def workflow(
    start: int, end: int, nodes: Sequence[str] = (), edges: Sequence[str] = (), channels: Sequence[str] = ()
) -> Span:
    """A run of a graph, its id is `run`, as it describes itself: `edge|a|b` and `LastValue|||notes`."""
    described = {
        names.GEN_AI_OPERATION_NAME: "invoke_workflow",
        names.GEN_AI_AGENT_NAME: "desk",
        names.MAS_GRAPH_NODES: tuple(nodes) or ("node",),
        names.MAS_GRAPH_EDGES: tuple(edges),
        names.MAS_GRAPH_CHANNELS: tuple(channels),
    }
    return made.span("run", start, end, **described)


def _with_state(span: Span, written: Mapping[str, Any] | None) -> Span:
    if not written:
        return span
    state = {
        names.MAS_STATE_CHANGED: tuple(written),
        names.MAS_STATE_DIGESTS: tuple(map(_digest, written.values())),
    }
    return replace(span, columns={**span.columns, **state})


def _digest(value: Any) -> str:
    return md5(orjson.dumps(value), usedforsecurity=False).hexdigest()
