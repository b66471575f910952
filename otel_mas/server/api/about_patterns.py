"""Patterns of many runs: topology, variants, rare paths and hot spots."""

from __future__ import annotations

from typing import Annotated, Unpack

from otel_mas.api.filters import MOST_TRACES, Filters
from otel_mas.report.json import mining
from otel_mas.report.json.mining import HotSpotsDocument, RarePathsDocument, TopologyDocument, VariantsDocument
from otel_mas.server.api.endpoints import Endpoint
from otel_mas.server.api.served import Served
from otel_mas.sources.server import download_once

_Workflow = Annotated[str | None, "Only runs of the workflow or agent of this name."]
_Limit = Annotated[int, "How many traces to read at most, the newest."]


def _topology(
    served: Served, workflow: _Workflow = None, limit: _Limit = MOST_TRACES, **filters: Unpack[Filters]
) -> TopologyDocument:
    """The topology of many runs: who triggers, sends to, hands off to, uses or reads whom, with waits, cost, errors."""
    with download_once(), served.apart() as source:
        found = source.topology(workflow=workflow, limit=limit, **filters)
    return {
        "topology": list(map(mining.edge, found)),
        "nodes": list(map(mining.node, found.nodes)),
        "limited": found.limited,
        "incomplete": found.incomplete,
    }


def _variants(
    served: Served,
    workflow: _Workflow = None,
    loops: Annotated[bool, "Tell runs apart by how often each task ran, and in which order."] = False,
    limit: _Limit = MOST_TRACES,
    **filters: Unpack[Filters],
) -> VariantsDocument:
    """Runs of each workflow by structure, with what is other in each variant."""
    with download_once(), served.apart() as source:
        found = source.variants(workflow=workflow, loops=loops, limit=limit, **filters)
    rows = list(map(mining.variant, found))
    return {"variants": rows, "limited": found.limited, "incomplete": found.incomplete}


def _rare_paths(
    served: Served,
    workflow: _Workflow = None,
    below: Annotated[float, "The share of a workflow's runs from which on a path is not rare, 0 to 1."] = 0.05,
    limit: _Limit = MOST_TRACES,
    **filters: Unpack[Filters],
) -> RarePathsDocument:
    """Edges and variants that few runs of a workflow take, each with these runs."""
    with download_once(), served.apart() as source:
        found = source.rare_paths(workflow=workflow, below=below, limit=limit, **filters)
    rows = list(map(mining.rare_path, found))
    return {"rare_paths": rows, "limited": found.limited, "incomplete": found.incomplete}


def _hot_spots(
    served: Served, workflow: _Workflow = None, limit: _Limit = MOST_TRACES, **filters: Unpack[Filters]
) -> HotSpotsDocument:
    """Hot spots of many runs, by time, cost and errors."""
    with download_once(), served.apart() as source:
        found = source.hot_spots(workflow=workflow, limit=limit, **filters)
    rows = list(map(mining.hot_spot, found))
    return {"hot_spots": rows, "limited": found.limited, "incomplete": found.incomplete}


PATTERNS = (
    Endpoint("/topology", _topology),
    Endpoint("/variants", _variants),
    Endpoint("/rare-paths", _rare_paths),
    Endpoint("/hot-spots", _hot_spots),
)

__all__ = ["PATTERNS"]
