"""Runs with content, written down by hand, for tests of detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.findings import RunFacts
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import Content, Message, MessageRef, Span
from tests.unit.analyse.profile.conftest import Made

made = Made()


def facts(
    *spans: Span,
    messages: Mapping[str, tuple[str, str]] | None = None,
    read: Mapping[str, Sequence[str]] | None = None,
    wrote: Mapping[str, Sequence[str]] | None = None,
    contents: Mapping[str, Mapping[str, Any]] | None = None,
    now_ns: int | None = None,
    **thresholds: float,
) -> RunFacts:
    """Facts of a run of these spans.

    Args:
        messages: role and text of each message, by digest.
        read: digests of the messages that spans read, by span id.
        wrote: digests of the messages that spans wrote, by span id.
        contents: content beside spans, by span id and attribute name.
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
    kept = [
        Content("t1", span_id, name, value)
        for span_id, named in (contents or {}).items()
        for name, value in named.items()
    ]
    content = RunContent.gathered(refs, bodies, kept, kept=True)
    return RunFacts(made.graph(*spans), content, Thresholds.of(thresholds), now_ns)
