"""Answers over many runs as data frames: the columns are the fields of their JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from otel_mas.analyse.comparison import Comparison
from otel_mas.model.frame import Column, Frame
from otel_mas.report.frame.answers import columns_of, frame_of
from otel_mas.report.json import mining, query
from otel_mas.report.json.findings import (
    FindingForm,
    FindingGroupForm,
    RootCauseForm,
    finding,
    finding_group,
    root_cause,
)

_Rows = Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]]


def _each(form: Callable[[Any], Any]) -> _Rows:
    return lambda found: [form(one) for one in found]


_FRAMES: Mapping[str, tuple[Mapping[str, Column], _Rows]] = {
    "executions": (columns_of(query.ExecutionForm), _each(query.execution)),
    "statistics": (columns_of(query.StatisticsForm), _each(query.statistics)),
    "chains": (columns_of(query.CallForm), _each(query.call)),
    "stages": (columns_of(query.StageForm), _each(query.stage)),
    "events": (columns_of(query.RunEventForm), _each(query.event)),
    "findings": (columns_of(FindingForm), _each(finding)),
    "root_cause": (columns_of(RootCauseForm), _each(root_cause)),
    "finding_groups": (columns_of(FindingGroupForm), _each(finding_group)),
    "outcomes": (columns_of(query.OutcomeForm), _each(query.outcome)),
    "metrics": (columns_of(query.MetricRowForm), query.metric_rows),
    "topology": (columns_of(mining.MinedEdgeForm), _each(mining.edge)),
    "nodes": (columns_of(mining.MinedNodeForm), _each(mining.node)),
    "variants": (columns_of(mining.VariantForm), _each(mining.variant)),
    "rare_paths": (columns_of(mining.RarePathForm), _each(mining.rare_path)),
    "hot_spots": (columns_of(mining.MinedHotSpotForm), _each(mining.hot_spot)),
}
_COMPARED = columns_of(query.ComparedForm)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    **{name: tuple(columns.values()) for name, (columns, _) in _FRAMES.items()},
    "comparison": tuple(_COMPARED.values()),
}
"""By the name of the answer, as in its JSON document."""


def answer(name: str, found: Sequence[Any]) -> Frame:
    """A row for each item of the answer of this name; of metrics one for each window."""
    columns, rows = _FRAMES[name]
    return frame_of(columns, rows(found))


def comparison(found: Comparison) -> Frame:
    """A row for each measure."""
    return frame_of(_COMPARED, [query.compared(one) for one in found.measures])


__all__ = ["COLUMNS", "answer", "comparison"]
