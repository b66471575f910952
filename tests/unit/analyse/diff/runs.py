"""Small runs for the tests of diffs, written as trees of steps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from otel_mas.analyse.content import RunContent
from otel_mas.analyse.diff import RunDiff, RunSteps, diff_runs
from otel_mas.causal import build
from otel_mas.model import Link, Message, MessageRef, Span, Trace
from otel_mas.semconv import LinkKind, Operation, RecordKind
from otel_mas.semconv import attributes as names

MS = 1_000_000
_IDS = itertools.count(1)
_KINDS = {
    "task": (RecordKind.AGENT_TASK, names.MAS_TASK_NAME),
    "model": (RecordKind.LLM_CALL, names.GEN_AI_REQUEST_MODEL),
    "tool": (RecordKind.TOOL_CALL, names.GEN_AI_TOOL_NAME),
    "run": (RecordKind.WORKFLOW, names.GEN_AI_AGENT_NAME),
}


@dataclass(frozen=True)
class Node:
    """A step; `after` are names of tasks beside it that it waits for, `beside` those that run while it does."""

    kind: str
    name: str
    question: str = ""
    answer: str = ""
    inside: tuple[Node, ...] = ()
    after: tuple[str, ...] = ()
    side_by_side: bool = False
    """What is inside runs at the same time."""
    took_ms: int = 10
    columns: Mapping[str, Any] = field(default_factory=dict)

    def having(self, **changes: Any) -> Node:
        return replace(self, **changes)

    def count(self) -> int:
        return 1 + sum(one.count() for one in self.inside)


def task(name: str, *inside: Node, after: tuple[str, ...] = (), **more: Any) -> Node:
    return Node("task", name, inside=inside, after=after, **more)


def model(question: str = "", answer: str = "", name: str = "m-1", **more: Any) -> Node:
    return Node("model", name, question, answer, **more)


def tool(name: str, question: str = "", answer: str = "", **more: Any) -> Node:
    return Node("tool", name, question, answer, **more)


def other(name: str, *inside: Node, **more: Any) -> Node:
    return Node("span", name, inside=inside, **more)


def run(*inside: Node, **more: Any) -> Node:
    return Node("run", "app", inside=inside, **more)


class Recorded:
    """The spans and the content of one run of a tree, with ids and message digests of its own."""

    def __init__(self, root: Node, key: str = "key") -> None:
        self.number = next(_IDS)
        self.trace_id = f"{self.number:032x}"
        self.spans: list[Span] = []
        self.refs: list[MessageRef] = []
        self.messages: dict[str, Message] = {}
        self._key = key
        self._add(root, None, 0, {})
        self.steps = RunSteps(build([Trace(self.trace_id, self.spans)]), RunContent(self.refs, self.messages, True))

    def _add(self, node: Node, parent: str | None, start: int, beside: dict[str, str]) -> int:
        span_id = f"{self.number:08x}{len(self.spans):08x}"
        place = len(self.spans)
        self.spans.append(Span(self.trace_id, span_id, parent, node.name, start, None))
        links = tuple(Link(self.trace_id, beside[one], LinkKind.TRIGGER) for one in node.after)
        at, own = start, dict[str, str]()
        for inside in node.inside:
            own[inside.name] = f"{self.number:08x}{len(self.spans):08x}"
            end = self._add(inside, span_id, start if node.side_by_side else at, own)
            at = max(at, end) + (0 if node.side_by_side else MS)
        end = max(at, start) + node.took_ms * MS
        self.spans[place] = Span(
            self.trace_id, span_id, parent, node.name, start, end, links=links, columns=self._columns(node, span_id)
        )
        self._say(node, span_id)
        return end

    def _columns(self, node: Node, span_id: str) -> dict[str, Any]:
        found: dict[str, Any] = dict(node.columns)
        if node.kind in _KINDS:
            kind, name = _KINDS[node.kind]
            found |= {names.MAS_RECORD_KIND: kind, name: node.name}
        if node.kind == "task":
            found[names.MAS_TASK_ID] = span_id
            if node.answer:
                found[names.MAS_TASK_RESULT] = node.answer
            if node.question:
                found[names.MAS_TASK_INPUT] = node.question
        if node.kind == "run":
            found[names.GEN_AI_OPERATION_NAME] = Operation.INVOKE_WORKFLOW
        if node.kind == "tool":
            found |= {names.GEN_AI_TOOL_CALL_ARGUMENTS: node.question, names.GEN_AI_TOOL_CALL_RESULT: node.answer}
        return found

    def _say(self, node: Node, span_id: str) -> None:
        for direction, text in (("input", node.question), ("output", node.answer)):
            if node.kind == "model" and text:
                digest = f"{self._key}:{text}"
                self.messages[digest] = Message(digest, "user", {"parts": [{"type": "text", "content": text}]})
                self.refs.append(MessageRef(self.trace_id, span_id, direction, 0, digest))


def diff(a: Node, b: Node, keys: tuple[str, str] = ("key", "key")) -> RunDiff:
    """The diff of a run of each tree."""
    return diff_runs(Recorded(a, keys[0]).steps, Recorded(b, keys[1]).steps)


def told(found: RunDiff) -> dict[str, list[str]]:
    """Changes by label, of the steps that have any but of time."""
    return {step.label: [change.value for change in step.changes] for step in found.differing}


def all_nodes(root: Node) -> Iterator[Node]:
    yield root
    for inside in root.inside:
        yield from all_nodes(inside)
