"""Patterns of many runs as JSON: topology, variants, rare paths, hot spots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypedDict

from otel_mas.analyse.mining.hot_spots import MinedHotSpot
from otel_mas.analyse.mining.rare_paths import RarePath
from otel_mas.analyse.mining.topology import MinedEdge, MinedNode
from otel_mas.analyse.mining.variants import Variant
from otel_mas.report.forms import form_of

_WORKFLOW = "name of the workflow or agent that the runs are of"
_SHARE = "the same as a part of the workflow's runs, 0 to 1"
_INCOMPLETE = "what the source may have left out, in words; null where nothing"
_LIMITED = "older traces may match that were not read; `--limit` reads more"
_NEWEST = "id of the newest run with it: 32 hex digits"


class _Figures(TypedDict):
    share: Annotated[float, _SHARE]
    errors: Annotated[int, "those that failed, or that an error passed through"]
    error_rate: Annotated[float, "the same as a part of all"]
    duration_p50_ns: Annotated[int | None, "nanoseconds: median of those that have ended and did not pause"]
    duration_p95_ns: Annotated[int | None, "nanoseconds: 95th percentile"]
    input_tokens: Annotated[int, "of the model calls inside"]
    output_tokens: Annotated[int, "of the model calls inside"]
    cost_usd: Annotated[float | None, "USD of those that have a price; null where none has"]


class MinedNodeForm(_Figures):
    workflow: Annotated[str, _WORKFLOW]
    kind: Annotated[str, "agent, task (a node that is no agent), tool, retrieval or model"]
    name: Annotated[str, "path of the node or agent, `researcher/model`; name of the tool or model"]
    executions: Annotated[int, "how often it ran"]
    runs: Annotated[int, "runs in which it did"]
    example_trace: Annotated[str, _NEWEST]


class MinedEdgeForm(_Figures):
    """Durations, errors, tokens and cost are those of the executions that the edge led to, each once."""

    workflow: Annotated[str, _WORKFLOW]
    cause: Annotated[str, "name of the node; START, or EARLIER for a cause in another trace"]
    cause_kind: Annotated[str, "as of nodes; empty of START and EARLIER"]
    effect: Annotated[str, "name of the node"]
    effect_kind: Annotated[str, "as of nodes"]
    kind: Annotated[
        str, "trigger, send, handoff, call, resume, retry, error_handler, message, child, use (of a tool) or start"
    ]
    provenance: Annotated[str, "recorded, metadata (joined by stable keys, exact) or inferred (a guess)"]
    count: Annotated[int, "how often it was taken: pairs of a cause and an effect, of which a join has several"]
    executions: Annotated[int, "executions that it led to"]
    runs: Annotated[int, "runs that took it"]
    confidence: Annotated[float | None, "mean probability that an inferred edge is right; null of known ones"]
    probability: Annotated[
        float | None, "part of the cause's executions, of START of the runs, that took it; null after EARLIER"
    ]
    wait_p50_ns: Annotated[
        int | None,
        "nanoseconds from the end of the cause to the start of the effect, median; null where that runs inside it",
    ]
    wait_p95_ns: Annotated[int | None, "nanoseconds: 95th percentile"]
    example_trace: Annotated[str, _NEWEST]


class TopologyDocument(TypedDict):
    topology: Annotated[list[MinedEdgeForm], "edges, by workflow, those that were taken most first"]
    nodes: Annotated[list[MinedNodeForm], "by workflow, those that ran most first"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class VariantForm(_Figures):
    id: Annotated[str, "12 hex digits, the same for the same structure in every source"]
    workflow: Annotated[str, _WORKFLOW]
    rank: Annotated[int, "1: the most frequent of the workflow"]
    runs: Annotated[int, "runs of this structure"]
    nodes: Annotated[int, "nodes of the structure; with `--loops` tasks"]
    edges: Annotated[int, "edges of the structure"]
    added: Annotated[list[str], "nodes and edges that the most frequent variant lacks: `a`, `a → b (send)`, `a ⇒ tool`"]
    missing: Annotated[list[str], "nodes and edges of the most frequent variant that this one lacks"]
    example_trace: Annotated[str, _NEWEST]
    traces: Annotated[list[str], "ids of the runs, the newest first"]


class VariantsDocument(TypedDict):
    variants: Annotated[list[VariantForm], "by workflow, the most frequent first"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class RarePathForm(TypedDict):
    of: Annotated[str, "edge or variant"]
    workflow: Annotated[str, _WORKFLOW]
    name: Annotated[str, "`researcher → editor (handoff)`; of a variant its id and what is other"]
    provenance: Annotated[str | None, "of an edge: recorded, metadata or inferred"]
    runs: Annotated[int, "runs that took it"]
    share: Annotated[float, _SHARE]
    errors: Annotated[int, "those of them that failed"]
    error_rate: Annotated[float, "the same as a part of them"]
    other_error_rate: Annotated[
        float | None, "part of the workflow's other runs that failed; null where there are none"
    ]
    cost_usd: Annotated[float | None, "USD of these runs; null where none has a price"]
    traces: Annotated[list[str], "ids of the runs, the newest first"]


class RarePathsDocument(TypedDict):
    rare_paths: Annotated[list[RarePathForm], "the rarest first"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


class MinedHotSpotForm(TypedDict):
    kind: Annotated[str, "node, agent, model, tool, retrieval, workflow (the framework between tasks) or another span"]
    name: Annotated[str, "path of the node, name of the agent, tool, model or span"]
    spans: Annotated[int, "number of them"]
    runs: Annotated[int, "runs that have it"]
    self_ns: Annotated[int, "nanoseconds in which nothing inside of it ran; overlaps in a run count once"]
    self_share: Annotated[float, "part of the self time of all"]
    on_path_ns: Annotated[int, "nanoseconds on the critical paths"]
    path_share: Annotated[float, "part of all time on critical paths in which a span ran"]
    input_tokens: Annotated[int, "of a model; of a node or agent those of its own model calls"]
    output_tokens: Annotated[int, "the same"]
    cost_usd: Annotated[float | None, "USD of the same calls; null where none has a price"]
    cost_share: Annotated[float | None, "part of the cost of all model calls; null where it has none"]
    errors: Annotated[int, "errors that happened in it, without those that passed through it"]
    error_share: Annotated[float | None, "part of all errors; null where there are none"]
    example_trace: Annotated[str, _NEWEST]


class HotSpotsDocument(TypedDict):
    hot_spots: Annotated[list[MinedHotSpotForm], "the most self time first"]
    limited: Annotated[bool, _LIMITED]
    incomplete: Annotated[str | None, _INCOMPLETE]


def edge(one: MinedEdge) -> MinedEdgeForm:
    """One edge of a topology."""
    return form_of(MinedEdgeForm, one)


def node(one: MinedNode) -> MinedNodeForm:
    """One node of a topology."""
    return form_of(MinedNodeForm, one)


def variant(one: Variant) -> VariantForm:
    """One variant."""
    return form_of(VariantForm, one, added=list(one.added), missing=list(one.missing), traces=list(one.traces))


def rare_path(one: RarePath) -> RarePathForm:
    """One rare path."""
    return form_of(RarePathForm, one, traces=list(one.traces))


def hot_spot(one: MinedHotSpot) -> MinedHotSpotForm:
    """One hot spot."""
    return form_of(MinedHotSpotForm, one)


ROWS: Mapping[str, Callable[[Any], object]] = {
    "topology": edge,
    "nodes": node,
    "variants": variant,
    "rare_paths": rare_path,
    "hot_spots": hot_spot,
}
"""The function that makes one row, by the name of the answer."""

__all__ = [
    "ROWS",
    "HotSpotsDocument",
    "MinedEdgeForm",
    "MinedHotSpotForm",
    "MinedNodeForm",
    "RarePathForm",
    "RarePathsDocument",
    "TopologyDocument",
    "VariantForm",
    "VariantsDocument",
    "edge",
    "hot_spot",
    "node",
    "rare_path",
    "variant",
]
