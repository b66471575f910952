"""A model call that asks for tools, for tests of detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.findings import RunFacts
from otel_mas.config.thresholds import Thresholds
from otel_mas.model import Content, Message, MessageRef, Span
from otel_mas.semconv import attributes as names
from tests.unit.analyse.findings.run import made

SEARCH: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "search",
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
    },
}


def asked(
    *calls: tuple[str, Any],
    executed: Sequence[Span] = (),
    definitions: Sequence[Any] | None = (SEARCH,),
    contents: Mapping[str, Mapping[str, Any]] | None = None,
    run_failed: bool = False,
    **call: Any,
) -> RunFacts:
    """Facts of an agent whose model call `chat1` asked for tools by name with arguments, with the ids `c0`, `c1`, ...

    Args:
        executed: spans of the calls.
        definitions: of the tools that the model call was told of; None where they were not recorded.
        contents: content beside spans, by span id and attribute name.
        run_failed: the agent failed as well.
        call: columns of the model call.
    """
    parts = [
        {"type": "tool_call", "id": f"c{i}", "name": name, "arguments": given} for i, (name, given) in enumerate(calls)
    ]
    kept = {**(contents or {})}
    if definitions is not None:
        kept["chat1"] = {names.GEN_AI_TOOL_DEFINITIONS: list(definitions)}
    content = RunContent.gathered(
        [MessageRef("t1", "chat1", "output", 0, "m0")],
        {"m0": Message("m0", "assistant", {"role": "assistant", "parts": parts})},
        [Content("t1", span_id, name, value) for span_id, named in kept.items() for name, value in named.items()],
        kept=True,
    )
    spans = (made.agent("writer1", 0, 1000, failed=run_failed), made.call("chat1", 1, 10, "writer1", **call), *executed)
    return RunFacts(made.graph(*spans), content, Thresholds())


def executed(span_id: str, number: int, *, failed: bool = False, **columns: Any) -> Span:
    """The span of the call with this number."""
    columns[names.GEN_AI_TOOL_CALL_ID] = f"c{number}"
    start = 20 + 10 * number
    return made.tool(span_id, start, start + 5, "writer1", failed=failed, **columns)
