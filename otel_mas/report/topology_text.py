"""A mined topology for other programs that draw: Graphviz's DOT and Mermaid."""

from __future__ import annotations

from otel_mas.analyse.executions import ExecutionKind
from otel_mas.analyse.mining.topology import MinedEdge
from otel_mas.causal.links import INFERRED
from otel_mas.report.mining_tables import percent
from otel_mas.report.text import duration, plain
from otel_mas.report.topology_picture import Arrow, Picture, Place

_SHAPES = {ExecutionKind.TOOL: "component", ExecutionKind.RETRIEVAL: "cylinder", "": "plaintext"}
_BRACKETS = {
    ExecutionKind.TOOL: ("[[", "]]"),
    ExecutionKind.RETRIEVAL: ("[(", ")]"),
    ExecutionKind.AGENT: ("([", "])"),
    "": ("((", "))"),
}


def edge_words(edge: MinedEdge) -> str:
    """Kind, how often, after what part of the executions, with which wait: `send ×40, 100%, wait 35 ms`."""
    words = f"{edge.kind} ×{edge.count:,}"
    if edge.probability is not None:
        words += f", {percent(edge.probability)}"
    if edge.wait_p50_ns:
        words += f", wait {duration(edge.wait_p50_ns)}"
    if edge.errors:
        words += f", {percent(edge.error_rate)} failed"
    if edge.provenance == INFERRED:
        words += ", inferred" + ("" if edge.confidence is None else f" ({percent(edge.confidence)} sure)")
    return words


def dot(picture: Picture) -> str:
    """Graphviz's DOT."""
    lines = ["digraph topology {", "  rankdir=LR;", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    numbers = _numbers(picture)
    for place, node in picture.nodes.items():
        label = picture.title(place) + ("" if node is None else f"\n×{node.executions:,}")
        shape = f", shape={_SHAPES[place[1]]}" if place[1] in _SHAPES else ""
        failed = ", color=red" if node is not None and node.errors else ""
        lines.append(f"  n{numbers[place]} [label={_quoted(label)}{shape}{failed}];")
    for arrow in picture.arrows:
        style = ", style=dashed" if arrow.edge.provenance == INFERRED else ""
        style = style or (", style=dotted" if arrow.edge.kind == "message" else "")
        ends = f"n{numbers[arrow.cause]} -> n{numbers[arrow.effect]}"
        lines.append(f"  {ends} [label={_quoted(edge_words(arrow.edge))}{style}];")
    return "\n".join([*lines, "}", ""])


def mermaid(picture: Picture) -> str:
    """A Mermaid flowchart."""
    lines = ["flowchart LR"]
    numbers = _numbers(picture)
    for place, node in picture.nodes.items():
        opened, closed = _BRACKETS.get(place[1], ("[", "]"))
        label = picture.title(place) + ("" if node is None else f" ×{node.executions:,}")
        lines.append(f'  n{numbers[place]}{opened}"{_entities(label)}"{closed}')
    lines += [_mermaid_edge(arrow, numbers) for arrow in picture.arrows]
    return "\n".join([*lines, ""])


def _mermaid_edge(arrow: Arrow, numbers: dict[Place, int]) -> str:
    guess = arrow.edge.provenance == INFERRED or arrow.edge.kind == "message"
    line = "-.->" if guess else "-->"
    return f'  n{numbers[arrow.cause]} {line}|"{_entities(edge_words(arrow.edge))}"| n{numbers[arrow.effect]}'


def _numbers(picture: Picture) -> dict[Place, int]:
    return {place: number for number, place in enumerate(picture.nodes)}


def _quoted(text: str) -> str:
    """A string of DOT: what was recorded may hold anything."""
    lines = (plain(line).replace("\\", "\\\\").replace('"', '\\"') for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'


def _entities(text: str) -> str:
    """Text within quotes of Mermaid."""
    replaced = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "`": "#96;"}
    return "".join(replaced.get(one, one) for one in plain(text))


__all__ = ["dot", "edge_words", "mermaid"]
