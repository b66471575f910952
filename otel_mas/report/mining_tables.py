"""Patterns of many runs as tables in words: topology, variants, rare paths, hot spots."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from otel_mas.analyse.mining.hot_spots import MinedHotSpot
from otel_mas.analyse.mining.rare_paths import RarePath
from otel_mas.analyse.mining.topology import MinedEdge, MinedNode
from otel_mas.analyse.mining.variants import Variant
from otel_mas.causal.links import RECORDED
from otel_mas.report.tables import MOST, Head, Table, table_of
from otel_mas.report.text import count, duration, listing, plain, short_ids, token_counts, usd

_TRACE = Head("trace")
_CHANGES = 4
"""Differences of a variant that are named."""


def topology(found: Sequence[MinedEdge], most: int | None = MOST) -> Table:
    """A row for each edge; one that was not recorded says so."""
    several = len({edge.workflow for edge in found}) > 1
    heads = (
        *((Head("workflow", text=True),) if several else ()),
        *(Head("from", text=True), Head("to", text=True), Head("how")),
        *(Head(title, numeric=True) for title in ("times", "runs", "next", "wait P50", "P95", "took P50", "P95")),
        *(Head("failed", numeric=True), Head("tokens", numeric=True, optional=True), Head("cost", numeric=True)),
    )

    def row(one: MinedEdge) -> list[str]:
        return [
            *((plain(one.workflow),) if several else ()),
            plain(one.cause),
            plain(one.effect),
            _how(one),
            f"{one.count:,}",
            percent(one.share),
            "" if one.probability is None else percent(one.probability),
            *map(_took, (one.wait_p50_ns, one.wait_p95_ns, one.duration_p50_ns, one.duration_p95_ns)),
            percent(one.error_rate) if one.errors else "",
            token_counts(one.input_tokens, one.output_tokens),
            "" if one.cost_usd is None else usd(one.cost_usd),
        ]

    return table_of(heads, found, row, "edge", most, _workflow_note([edge.workflow for edge in found]))


def _how(one: MinedEdge) -> str:
    """The kind of an edge; of one that was not recorded how it is known, and how sure that is."""
    if one.provenance == RECORDED:
        return one.kind
    sure = "" if one.confidence is None else f", {percent(one.confidence)}"
    return f"{one.kind} ({one.provenance}{sure})"


def nodes(found: Sequence[MinedNode], most: int | None = MOST) -> Table:
    """A row for each agent, node, tool, retriever and model."""
    several = len({node.workflow for node in found}) > 1
    heads = (
        *((Head("workflow", text=True),) if several else ()),
        *(Head("what", text=True), Head("kind")),
        *(Head(title, numeric=True) for title in ("ran", "runs", "took P50", "P95", "failed", "tokens", "cost")),
    )

    def row(one: MinedNode) -> list[str]:
        return [
            *((plain(one.workflow),) if several else ()),
            plain(one.name),
            one.kind,
            f"{one.executions:,}",
            percent(one.share),
            *map(_took, (one.duration_p50_ns, one.duration_p95_ns)),
            percent(one.error_rate) if one.errors else "",
            token_counts(one.input_tokens, one.output_tokens),
            "" if one.cost_usd is None else usd(one.cost_usd),
        ]

    return table_of(heads, found, row, "node", most, _workflow_note([node.workflow for node in found]))


def variants(found: Sequence[Variant], most: int | None = MOST) -> Table:
    """A row for each variant, with what is other than in the most frequent one of its workflow."""
    ids = short_ids([one.example_trace for one in found])
    several = len({one.workflow for one in found}) > 1
    heads = (
        *((Head("workflow", text=True),) if several else ()),
        Head("variant"),
        *(Head(title, numeric=True) for title in ("runs", "share", "P50", "P95", "failed", "cost each")),
        *(Head("other than the most frequent", text=True), Head("for example")),
    )

    def row(one: Variant) -> list[str]:
        return [
            *((plain(one.workflow),) if several else ()),
            one.id,
            f"{one.runs:,}",
            percent(one.share),
            *map(_took, (one.duration_p50_ns, one.duration_p95_ns)),
            percent(one.error_rate) if one.errors else "",
            "" if one.cost_usd is None else usd(one.cost_usd / one.runs),
            _changes(one) if one.rank > 1 else f"{count(one.nodes, 'node')}, {count(one.edges, 'edge')}",
            ids[one.example_trace],
        ]

    return table_of(heads, found, row, "variant", most, _workflow_note([one.workflow for one in found]))


def _changes(one: Variant) -> str:
    changes = [*(f"+ {plain(part)}" for part in one.added), *(f"- {plain(part)}" for part in one.missing)]
    return listing(changes, _CHANGES)


def rare_paths(found: Sequence[RarePath], most: int | None = MOST) -> Table:
    """A row for each rare edge and variant, with one of the runs that took it."""
    ids = short_ids([one.traces[0] for one in found])
    several = len({one.workflow for one in found}) > 1
    heads = (
        *((Head("workflow", text=True),) if several else ()),
        *(Head("share", numeric=True), Head("runs", numeric=True), Head("of"), Head("path", text=True)),
        *(Head("failed", numeric=True), Head("of the others", numeric=True), Head("for example")),
    )

    def row(one: RarePath) -> list[str]:
        name = plain(one.name)
        return [
            *((plain(one.workflow),) if several else ()),
            percent(one.share),
            f"{one.runs:,}",
            one.of,
            name if one.provenance in (None, RECORDED) else f"{name} ({one.provenance})",
            percent(one.error_rate) if one.errors else "",
            "" if one.other_error_rate is None else percent(one.other_error_rate),
            ids[one.traces[0]],
        ]

    return table_of(heads, found, row, "rare path", most, _workflow_note([one.workflow for one in found]))


def hot_spots(found: Sequence[MinedHotSpot], most: int | None = MOST) -> Table:
    """A row for each hot spot, with its part of the time, of the critical paths, of the cost and of the errors."""
    ids = short_ids([one.example_trace for one in found])
    heads = (
        *(Head("what", text=True), Head("kind")),
        *(Head(title, numeric=True) for title in ("ran", "self", "share", "on path", "share", "cost", "share")),
        *(Head("errors", numeric=True), Head("share", numeric=True), Head("for example")),
    )

    def row(one: MinedHotSpot) -> list[str]:
        return [
            plain(one.name),
            one.kind,
            f"{one.spans:,}",
            duration(one.self_ns),
            percent(one.self_share),
            duration(one.on_path_ns) if one.on_path_ns else "",
            percent(one.path_share) if one.on_path_ns else "",
            "" if one.cost_usd is None else usd(one.cost_usd),
            "" if one.cost_share is None else percent(one.cost_share),
            f"{one.errors:,}" if one.errors else "",
            percent(one.error_share) if one.errors and one.error_share is not None else "",
            ids[one.example_trace],
        ]

    return table_of(heads, found, row, "hot spot", most)


def percent(part: float) -> str:
    """A part of 1; of small ones, and of those that are nearly all, one digit more."""
    if 0 < part < 0.0005:
        return "<0.1%"
    return f"{part:.1%}" if 0 < part < 0.1 or 0.99 <= part < 1 else f"{part:.0%}"


def _took(ns: int | None) -> str:
    return "" if ns is None else duration(ns)


def _workflow_note(workflows: Sequence[str]) -> Sequence[str]:
    """The name of the workflow, where it is the only one and so has no column."""
    named = set(workflows)
    return [f"all of {plain(workflows[0])}"] if len(named) == 1 and workflows[0] else []


TABLES: Mapping[str, Callable[..., Table]] = {
    "topology": topology,
    "nodes": nodes,
    "variants": variants,
    "rare_paths": rare_paths,
    "hot_spots": hot_spots,
}
"""By the name of the answer, as in its JSON document."""

__all__ = ["TABLES", "hot_spots", "nodes", "percent", "rare_paths", "topology", "variants"]
