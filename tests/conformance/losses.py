"""Known losses of each place. The suite fails where something else is lost, and where a loss is none any more.

The names are those of `oddities.py`. A part of a place's table may speak of several places, where they lose the same.
"""

from __future__ import annotations

_STORE = frozenset({"a scope's dropped count"})

# Jaeger 2.13. Its sanitizers change spans on their way in, and it copies resources and scopes without schema URLs.
_JAEGER = frozenset(
    {
        "a process that says nothing of itself",
        "a resource's schema URL",
        "a scope's schema URL",
        "a service without a name",
    }
)

# Its badger storage still has the model of Jaeger 1: OpenTracing references for links, tags for what is no field.
_JAEGER_1 = frozenset(
    {
        "a foreign string array",
        "a host's name as Jaeger once had it",
        "a link's attributes",
        "a link's dropped count",
        "a link's flags",
        "a link's trace state",
        "a map",
        "a nested array",
        "a resource's array",
        "a resource's dropped count",
        "a root with a link into its own trace",
        "a scope's attributes",
        "a scope's dropped count",
        "a scope's version without a name",
        "an array of numbers",
        "an attribute called error",
        "an attribute called otel.status_code",
        "an attribute called span.kind",
        "an attribute called w3c.tracestate",
        "an attribute without a value",
        "an event's array",
        "an event's dropped count",
        "dropped counts",
        "flags",
        "no status, with an HTTP status of 500",
        "two links to the parent",
    }
)

# Records keep what explains a run, not every field of OTLP.
_RECORDS = frozenset(
    {
        "a link's dropped count",
        "a link's flags",
        "a link's trace state",
        "a resource's dropped count",
        "a resource's schema URL",
        "a scope's attributes",
        "a scope's dropped count",
        "a scope's schema URL",
        "an event's dropped count",
        "dropped counts",
        "flags",
        "trace state",
    }
)

# The Collector's exporter writes every attribute as text, in columns for what it knows of a span.
_CLICKHOUSE = frozenset(
    {
        "a fraction",
        "a foreign string array",
        "a link's dropped count",
        "a link's flags",
        "a map",
        "a nested array",
        "a resource's array",
        "a resource's attributes",
        "a resource's dropped count",
        "a resource's schema URL",
        "a scope's attributes",
        "a scope's dropped count",
        "a scope's schema URL",
        "a tiny fraction",
        "a whole number as a fraction",
        "a service without a name",
        "an array of numbers",
        "an attribute called error",
        "an attribute with an empty name",
        "an attribute without a value",
        "an event's array",
        "an event's attributes",
        "an event's dropped count",
        "an integer past 53 bits",
        "bytes",
        "dropped counts",
        "empty bytes",
        "false",
        "flags",
        "infinity",
        "not a number",
        "the largest integer",
        "the smallest integer",
        "true",
    }
)

# The JSON of Jaeger's UI has the model of Jaeger 1, in µs.
_JAEGER_JSON = frozenset(
    {
        "a foreign string array",
        "a link's attributes",
        "a link's dropped count",
        "a link's flags",
        "a link's trace state",
        "a map",
        "a nested array",
        "a resource's array",
        "a resource's dropped count",
        "a resource's schema URL",
        "a root with a link into its own trace",
        "a scope's attributes",
        "a scope's dropped count",
        "a scope's schema URL",
        "an array of numbers",
        "an attribute called error",
        "an attribute called otel.scope.name",
        "an attribute called otel.status_code",
        "an attribute called span.kind",
        "an attribute without a value",
        "an end before the start",
        "an event",
        "an event's array",
        "an event's dropped count",
        "bytes",
        "dropped counts",
        "empty bytes",
        "flags",
        "infinity",
        "kind unspecified",
        "nanoseconds",
        "not a number",
        "trace state",
    }
)

LOSSES: dict[str, frozenset[str]] = {
    "store": _STORE,
    "OTLP file": frozenset(),
    "archive of a store": _STORE,
    "trace records": _RECORDS,
    "store, imported": _STORE,
    "clickhouse": _CLICKHOUSE,
    "Jaeger's JSON": _JAEGER_JSON,
    "jaeger memory": _JAEGER,
    "jaeger badger": _JAEGER | _JAEGER_1,
}
