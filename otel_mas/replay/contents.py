"""Content of a recording, read once from the sources of its traces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from otel_mas.analyse.content import RunContent
from otel_mas.model import Content, Message, MessageRef, Trace

if TYPE_CHECKING:
    from otel_mas.sources import Source


def run_content(traces: Sequence[tuple[Trace, Source]]) -> RunContent:
    """The content of traces, each with the source that has it."""
    refs: list[MessageRef] = []
    messages: dict[str, Message] = {}
    contents: list[Content] = []
    kept = [(trace, source) for trace, source in traces if source.capabilities.content]
    for trace, source in kept:
        own = source.message_refs(trace.trace_id)
        refs += own
        messages.update(source.messages(list(dict.fromkeys(ref.digest for ref in own)), trace.trace_id))
        contents += source.contents(trace.trace_id)
    return RunContent.gathered(refs, messages, contents, kept=bool(kept))


__all__ = ["run_content"]
