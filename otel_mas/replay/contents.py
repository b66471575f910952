"""Content of a recording: messages and other content of its spans, read once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from otel_mas.model import Content, Message, MessageRef, Span, Trace

if TYPE_CHECKING:
    from otel_mas.sources import Source


@dataclass(slots=True)
class RunContent:
    """Messages and other content of the spans of a recording."""

    refs: dict[tuple[str, str], list[MessageRef]] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    contents: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def side(self, span: Span, direction: str) -> tuple[Message, ...]:
        """The messages that a span read or wrote, in order; the body of one is None where it was not kept."""
        refs = [ref for ref in self.refs.get((span.trace_id, span.span_id), ()) if ref.direction == direction]
        refs.sort(key=lambda ref: ref.position)
        return tuple(self.messages.get(ref.digest) or Message(ref.digest, "", None) for ref in refs)


def run_content(traces: Sequence[tuple[Trace, Source]]) -> RunContent:
    """The content of traces, each with the source that has it."""
    found = RunContent()
    for trace, source in traces:
        if not source.capabilities.content:
            continue
        refs = source.message_refs(trace.trace_id)
        for ref in refs:
            found.refs.setdefault((ref.trace_id, ref.span_id), []).append(ref)
        digests = list(dict.fromkeys(ref.digest for ref in refs))
        found.messages.update(source.messages(digests, trace.trace_id))
        contents: Sequence[Content] = source.contents(trace.trace_id)
        for one in contents:
            found.contents.setdefault((one.trace_id, one.span_id), {})[one.name] = one.value
    return found


__all__ = ["RunContent", "run_content"]
