"""Evidence of where a task leads, in the words of those who recorded it: its `Command`, its routing functions.

OpenInference and OpenLLMetry write a task's output as JSON: a `Command` is a mapping with `goto`, a `Send` the text of
its `repr`. A function of a conditional edge is a span inside of the task, whose output is what it returned. OpenLLMetry
has a span `goto` for each `Command`, too, and lists the edges of the graph on its `invoke_agent` span.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from otel_mas.causal.forest import Forest
from otel_mas.causal.references import texts
from otel_mas.model import EXCEPTION_EVENT, Span
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_METADATA: Final = "metadata"
_ASSOCIATED: Final = "traceloop.association.properties."
_PATH: Final = "langgraph_path"
_CHECKPOINT: Final = "checkpoint_id"
_INPUTS: Final = ("input.value", "traceloop.entity.input", "gen_ai.task.input")
_OUTPUTS: Final = ("output.value", "traceloop.entity.output", "gen_ai.task.output")
_GOTO_SOURCE: Final = "langgraph.command.source_node"
_GOTO: Final = ("langgraph.command.goto_node", "langgraph.command.goto_nodes")
_EDGES: Final = "gen_ai.workflow.edges"
_COMMAND: Final = frozenset(("graph", "update", "resume", "goto"))
_SEND: Final = re.compile(r"Send\(node='([^']*)'")
_GOTO_TEXT: Final = re.compile(r"goto=(?:'([^']*)'|[\[(](.*)[\])])\)?$", re.DOTALL)
_QUOTED: Final = re.compile(r"Send\(node='([^']*)'|'([^']*)'")
_GRAPH_TEXT: Final = re.compile(r"Command\(graph='([^']*)'")
_LONGEST: Final = 1_000_000
"""Characters of an output that are read."""
_LONGEST_MESSAGE: Final = 20_000
"""Characters of an exception's message that are searched, which takes their square at worst."""
_OTHERS: Final = (RecordKind.LLM_CALL, RecordKind.TOOL_CALL)


@dataclass(slots=True)
class Leads:
    """Nodes that a task says it leads to, by name and in order."""

    goto: list[str] = field(default_factory=list)
    sends: list[str] = field(default_factory=list)
    handed_over: bool = False
    """By a `Command` to its parent graph."""
    routed: list[str] = field(default_factory=list)
    """Results of the functions of its conditional edges: names of nodes, or labels of them."""

    def names(self, node: str) -> bool:
        """Whether it names a node as its next one."""
        return node in self.goto or node in self.routed


def origin_of(span: Span) -> tuple[Sequence[Any], bool]:
    """LangGraph's path of a task, and whether its run was sent to a checkpoint that the app chose.

    The path is empty where the span does not tell. Its numbers may be text.
    """
    metadata = _parsed(span.get(_METADATA))
    if isinstance(metadata, Mapping) and isinstance(metadata.get(_PATH), list):
        found: Sequence[Any] = metadata[_PATH]
        return found, _CHECKPOINT in metadata
    return texts(span.get(f"{_ASSOCIATED}{_PATH}")), span.get(f"{_ASSOCIATED}{_CHECKPOINT}") is not None


def leads_of(forest: Forest, number: int, task_id: str, node: str) -> Leads:
    """Read a task's span and those directly inside of it."""
    spans, found = forest.spans, Leads()
    span = spans[number]
    for output in _output(span):
        _add_commands(output, found)
    _add_handoff(span, task_id, found)
    for child in forest.children(number):
        _add_child(spans[child], task_id, node, found)
    return found


def declared_edges(span: Span) -> set[tuple[str, str]]:
    """Edges of a graph that its run's span lists, conditional ones among them; none where it lists none."""
    found = (edge.partition(" -> ") for edge in texts(span.get(_EDGES)))
    return {(source, target) for source, arrow, target in found if arrow}


def goes_on(run: Span) -> bool | None:
    """Whether a run went on from a checkpoint, with no input or with answers; None where its input was not recorded."""
    for given in _value(run, _INPUTS, "inputs"):
        if isinstance(given, Mapping) and given.keys() == _COMMAND:
            return given["resume"] is not None
        return given is None
    return None


def _add_child(child: Span, task_id: str, node: str, found: Leads) -> None:
    if child.get(_GOTO_SOURCE) == node:
        named = [one for name in _GOTO for one in _named(_parsed(child.get(name)))]
        if not found.goto and not found.sends:
            found.goto += named
        return
    if child.record_kind in _OTHERS or child.columns.get(names.MAS_TASK_ID) not in (None, task_id):
        return
    for output in _output(child):
        if isinstance(output, str) or (
            isinstance(output, list) and output and all(isinstance(one, str) for one in output)
        ):
            _add_targets(output, found.routed, found.sends)


def _add_commands(output: Any, found: Leads) -> None:
    for one in output if isinstance(output, list) else [output]:
        if isinstance(one, Mapping) and one.keys() == _COMMAND and one["graph"] is None:
            _add_targets(one["goto"], found.goto, found.sends)


def _add_targets(goto: Any, nodes: list[str], sends: list[str]) -> None:
    for one in goto if isinstance(goto, list) else [goto]:
        if isinstance(one, str):
            sent = _SEND.match(one)
            if sent:
                sends.append(sent[1])
            else:
                nodes.append(one)


def _add_handoff(span: Span, task_id: str, found: Leads) -> None:
    """Add the nodes of a `Command` that left a graph inside of the task, and that is for the task's own graph."""
    for event in span.events:
        text = event.attributes.get(names.EXCEPTION_MESSAGE) if event.name == EXCEPTION_EVENT else None
        if not isinstance(text, str) or len(text) > _LONGEST_MESSAGE:
            continue
        graph, goto = _GRAPH_TEXT.match(text), _GOTO_TEXT.search(text)
        if graph and goto and graph[1].rpartition(":")[2] == task_id:
            found.handed_over = True
            for sent, named in _QUOTED.findall(goto[2] if goto[1] is None else f"'{goto[1]}'"):
                (found.sends if sent else found.goto).append(sent or named)
            return


def _output(span: Span) -> Iterator[Any]:
    return _value(span, _OUTPUTS, "outputs")


def _value(span: Span, keys: Sequence[str], inner: str) -> Iterator[Any]:
    """Yield the input or output of a span, if it says; OpenLLMetry has it in a mapping with other things."""
    for name in keys:
        value = span.get(name)
        if value is not None and not (isinstance(value, str) and len(value) > _LONGEST):
            found = _parsed(value)
            if isinstance(value, str) and isinstance(found, int | float):
                found = value  # a text, such as the name of a node
            yield found[inner] if isinstance(found, Mapping) and inner in found else found
            return


def _named(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value)
    except ValueError:
        return value


__all__ = ["Leads", "declared_edges", "goes_on", "leads_of", "origin_of"]
