"""Content of a recording, read once from the sources of its traces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.state.values import StateValues, value_digests
from otel_mas.model import Content, Message, MessageRef, Span, Trace
from otel_mas.semconv import attributes as names

if TYPE_CHECKING:
    from otel_mas.sources import Source

_DIGEST: Final = re.compile("[0-9a-f]{32}")


def run_content(traces: Sequence[tuple[Trace, Source]]) -> RunContent:
    """The content of traces, each with the source that has it."""
    refs: list[MessageRef] = []
    messages: dict[str, Message] = {}
    contents: list[Content] = []
    kept = [(trace, source) for trace, source in traces if source.capabilities.content]
    for trace, source in kept:
        own = source.message_refs(trace.trace_id)
        refs += own
        runs = [span for span in trace.spans if span.get(names.MAS_RUN_OUTCOME) is not None]
        digests = [ref.digest for ref in own] + [digest for run in runs for digest in value_digests(run)]
        messages.update(source.messages(list(dict.fromkeys(digests)), trace.trace_id))
        listed = [digest for run in runs for digest in _listed(messages, run) if digest not in messages]
        messages.update(source.messages(list(dict.fromkeys(listed)), trace.trace_id))
        contents += source.contents(trace.trace_id)
    return RunContent.gathered(refs, messages, contents, kept=bool(kept))


def _listed(messages: Mapping[str, Message], run: Span) -> Iterator[str]:
    """Digests of the messages in the input of a run."""
    for digest in value_digests(run):
        value = messages[digest].body if digest in messages else None
        items = (value or {}).get("value")
        if isinstance(items, list) and all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in items):
            yield from items


def given_values(content: RunContent, run: Span) -> dict[str, Any]:
    """The input of a run by channel, with messages as their role and parts; without what was not kept."""
    values = {one.channel: one.value for one in StateValues(content).kept(run) if one.missing is None}
    return {channel: _with_bodies(content, value) for channel, value in values.items()}


def _with_bodies(content: RunContent, value: Any) -> Any:
    """A value, with the messages in place of their digests."""
    if isinstance(value, Mapping) and "parts" in value:
        return [_body(value)]
    several = value if isinstance(value, list) else []
    found = [content.messages.get(one) if isinstance(one, str) else None for one in several]
    bodies = [one.body for one in found if one is not None and one.body is not None]
    return list(map(_body, bodies)) if bodies and len(bodies) == len(several) else value


def _body(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"role": message.get("role"), "parts": message.get("parts")}


__all__ = ["given_values", "run_content"]
