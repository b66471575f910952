"""Patterns of many runs as HTML: a topology drawn and as tables, and pages of each."""

from __future__ import annotations

from collections.abc import Sequence

from otel_mas.analyse.mining.topology import MinedEdge, MinedNode
from otel_mas.report import mining_tables as tables
from otel_mas.report.html.block import left_out
from otel_mas.report.html.page import document
from otel_mas.report.html.words import words
from otel_mas.report.markup import Markup, element, text
from otel_mas.report.svg.topology import draw
from otel_mas.report.tables import MOST, Table
from otel_mas.report.text import count
from otel_mas.report.topology_picture import Picture


def topology(edges: Sequence[MinedEdge], nodes: Sequence[MinedNode], most: int | None = MOST) -> Markup:
    """The picture, and a table of the edges and one of the nodes."""
    if not edges:
        return words(tables.topology(edges))
    picture = Picture.of(edges, nodes)
    return text(
        element("div", draw(picture), class_="om-scroll"),
        left_out([count(picture.left_out, "edge")] if picture.left_out else []),
        words(tables.topology(edges, most)),
        words(tables.nodes(nodes, most)),
    )


def topology_page(
    heading: str, edges: Sequence[MinedEdge], nodes: Sequence[MinedNode], notes: Sequence[str], made_by: str
) -> str:
    """A page of a topology."""
    return _page(heading, topology(edges, nodes, None), notes, made_by)


def table_page(heading: str, found: Table, notes: Sequence[str], made_by: str) -> str:
    """A page of one table."""
    return _page(heading, words(found), notes, made_by)


def _page(heading: str, content: Markup, notes: Sequence[str], made_by: str) -> str:
    lines = [element("p", note, class_="om-dim") for note in notes]
    return document(heading, [element("h1", heading), *lines, content], made_by)


__all__ = ["table_page", "topology", "topology_page"]
