"""SQL over the tables of the Collector's clickhouse exporter: spans, and the first and last second of each trace."""

from __future__ import annotations

from otel_mas.model import Query
from otel_mas.model.query import SPAN_FIELDS
from otel_mas.model.status import TraceStatus
from otel_mas.semconv import attributes as names
from otel_mas.sources.clickhouse.client import Parameter

EXTREMES = """
SELECT count(), toUnixTimestamp(min(Start)), toUnixTimestamp(max(Start))
FROM {database:Identifier}.{times:Identifier}
WHERE Start >= toDateTime({since:UInt32}) AND Start <= toDateTime({until:UInt32})"""
"""Rows, and the first and the last second in which something of a trace started."""

_STARTED = """
SELECT TraceId, min(Start) AS first, max(End) AS last
FROM {database:Identifier}.{times:Identifier}
WHERE TraceId IN (
    SELECT TraceId FROM {database:Identifier}.{times:Identifier}
    WHERE Start >= toDateTime({from:UInt32}) AND Start < toDateTime({before:UInt32})
)
GROUP BY TraceId
HAVING first >= toDateTime({from:UInt32}) AND first < toDateTime({before:UInt32})"""

NEWEST = f"""
SELECT count(), toUnixTimestamp(min(first)), toUnixTimestamp(max(last))
FROM ({_STARTED} ORDER BY first DESC LIMIT {{most:UInt64}} WITH TIES)"""
"""Among the newest traces that started in a window: how many, the first second of these, and their last."""

_WITHIN = """
Timestamp >= toDateTime64({from:UInt32}, 9) AND Timestamp < toDateTime64({end:UInt32}, 9)"""

_SPANS_WITH = f"""TraceId IN (
    SELECT TraceId FROM {{database:Identifier}}.{{spans:Identifier}} WHERE {_WITHIN} AND (%s)
)"""
_ROOT_RUN = "ParentSpanId = '' AND SpanAttributes[{outcome:String}] != ''"
_LASTED = f"""TraceId IN (
    SELECT TraceId FROM {{database:Identifier}}.{{spans:Identifier}} WHERE {_WITHIN}
    GROUP BY TraceId
    HAVING max(toUnixTimestamp64Nano(Timestamp) + toInt64(Duration)) - min(toUnixTimestamp64Nano(Timestamp)) %s
)"""

SPAN_COLUMNS = """
toUnixTimestamp64Nano(Timestamp), Duration, TraceId, SpanId, ParentSpanId, TraceState, SpanName, SpanKind,
StatusCode, StatusMessage, ResourceAttributes, ScopeName, ScopeVersion"""

_OF_TRACES = f"""
FROM {{database:Identifier}}.{{spans:Identifier}}
WHERE TraceId IN {{traces:Array(String)}} AND {_WITHIN}
ORDER BY TraceId, Timestamp, SpanId"""

SPANS = f"""
SELECT {SPAN_COLUMNS}, SpanAttributes,
    arrayMap(at -> toUnixTimestamp64Nano(at), Events.Timestamp), Events.Name, Events.Attributes,
    Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes
{_OF_TRACES}"""
"""Whole spans of traces."""

_CHOSEN = "mapFilter((name, value) -> name IN {{names:Array(String)}} OR startsWith(name, {{parts:String}}), {})"

_IS_FOREIGN = "ScopeName != {own:String} AND hasAny(mapKeys(SpanAttributes), {markers:Array(String)})"
"""Whether other instrumentation tells of an agent, model or tool in a span, in attributes of its own."""

COUNTED_SPANS = f"""
SELECT {SPAN_COLUMNS}, {_CHOSEN.format("SpanAttributes")}, {_IS_FOREIGN}
{_OF_TRACES}"""
"""Spans of traces with those attributes that a list of traces is made from, without events and links."""

GRAPH_SPANS = f"""
SELECT {SPAN_COLUMNS.replace("ResourceAttributes", _CHOSEN.format("ResourceAttributes"))},
    {_CHOSEN.format("SpanAttributes")},
    [], [], [], Links.TraceId, Links.SpanId, Links.TraceState, Links.Attributes,
    {_IS_FOREIGN}
{_OF_TRACES}"""
"""Spans of traces with what causal graphs are made from: these attributes, of their processes too, and links."""

TIMES = """
SELECT TraceId, toUnixTimestamp(min(Start)), toUnixTimestamp(max(End))
FROM {database:Identifier}.{times:Identifier}
WHERE TraceId IN {traces:Array(String)}
GROUP BY TraceId"""
"""First and last second in which a span of each trace started."""


def matching(query: Query) -> tuple[str, dict[str, Parameter]]:
    """The statement for the newest traces of a window that may match, with its parameters.

    A trace that matches is always among them. One that does not may be: what SQL cannot say of text alone is left out.
    """
    spans, parameters = _span_conditions(query)
    conditions = [_SPANS_WITH % condition for condition in spans]
    if query.status is not None and query.status != TraceStatus.OK:
        conditions.append(_status_condition(query.status))
        parameters |= {"outcome": names.MAS_RUN_OUTCOME, "status": query.status}
    if query.min_duration_ns is not None:
        conditions.append(_LASTED % ">= {min_duration:Int64}")
        parameters["min_duration"] = query.min_duration_ns
    if query.max_duration_ns is not None:
        conditions.append(_LASTED % "<= {max_duration:Int64}")
        parameters["max_duration"] = query.max_duration_ns
    where = " AND ".join(conditions) or "true"
    statement = f"""
SELECT TraceId, toUnixTimestamp(first), toUnixTimestamp(last) FROM ({_STARTED})
WHERE first < toDateTime({{after:UInt32}}) AND {where}
ORDER BY first DESC LIMIT {{most:UInt64}} WITH TIES"""
    return statement, parameters


def _span_conditions(query: Query) -> tuple[list[str], dict[str, Parameter]]:
    """Conditions each of which some span of a matching trace meets, and their parameters."""
    conditions: list[str] = []
    parameters: dict[str, Parameter] = {}

    def add(condition: str, **values: str) -> None:
        number = len(conditions)
        for name, value in values.items():
            condition = condition.replace(f"{{{name}:", f"{{{name}{number}:")
            parameters[f"{name}{number}"] = value
        conditions.append(condition)

    if query.service is not None:
        add("ServiceName = {value:String}", value=query.service)
    if query.run_id is not None:
        add("ResourceAttributes[{name:String}] = {value:String}", name=names.MAS_RUN_ID, value=query.run_id)
    of_spans = [(attributes, getattr(query, field)) for field, attributes in SPAN_FIELDS.items()]
    of_spans += [((names.GEN_AI_AGENT_NAME,), query.agent), ((names.GEN_AI_CONVERSATION_ID,), query.conversation_id)]
    for attributes, value in of_spans:
        if value is not None:
            either = {f"name_{letter}": name for letter, name in zip("ab", attributes, strict=False)}
            add(
                " OR ".join(f"SpanAttributes[{{{name}:String}}] = {{value:String}}" for name in either),
                value=value,
                **either,
            )
    for name, wanted in query.attributes:
        # An array is JSON text there, and a long one of ours in parts.
        add(
            "mapContains(SpanAttributes, {name:String}) AND (SpanAttributes[{name:String}] = {value:String}"
            " OR startsWith(SpanAttributes[{name:String}], '['))"
            " OR mapContains(ResourceAttributes, {name:String}) AND (ResourceAttributes[{name:String}] = {value:String}"
            " OR startsWith(ResourceAttributes[{name:String}], '[')) OR mapContains(SpanAttributes, {part:String})",
            name=name,
            value=wanted,
            part=f"{names.MAS_PART}.{name}.1",
        )
    return conditions, parameters


def _status_condition(status: str) -> str:
    """The condition that a trace of this status meets, by the rule of `otel_mas.model.status`."""
    outcome = _SPANS_WITH % "SpanAttributes[{outcome:String}] = {status:String}"
    if status != TraceStatus.ERROR:
        return outcome
    # A span failed, and no run is the root: one that is has an outcome, whatever became of the errors in it.
    failed, dealt_with = _SPANS_WITH % "StatusCode = 'Error'", _SPANS_WITH % _ROOT_RUN
    return f"({outcome} OR {failed} AND NOT {dealt_with})"
