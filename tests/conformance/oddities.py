"""One span for each thing that a span can hold and a backend can lose, with what should come back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message
from opentelemetry.proto.trace.v1.trace_pb2 import Status, TracesData

from otel_mas.model import Link, Span, SpanKind, StatusCode
from otel_mas.semconv import attributes as names
from tests.conformance.messages import BASE_NS, MS, export, link, pairs, process, span, span_id, trace_id

TRACE, ELSEWHERE = 8, 9
_ROOT = 100


@dataclass(frozen=True)
class Oddity:
    """Something about one span.

    Args:
        is_: what it is, in words: its name in the table of losses.
        fields: of the message that is sent.
        seen: what to look at in the span that comes back.
        expected: what should be seen there.
        resource, scope: whose span it is; its own process where it names any of these.
    """

    is_: str
    fields: Mapping[str, Any]
    seen: Callable[[Span], object]
    expected: object
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: Mapping[str, Any] = field(default_factory=dict)
    process: Mapping[str, Any] = field(default_factory=dict)


def _attribute(is_: str, value: Any, name: str = "odd") -> Oddity:
    return Oddity(
        is_, {"attributes": {name: value}}, lambda got: typed(got.attributes.get(name, "missing")), typed(value)
    )


def typed(value: Any) -> Any:
    """Values that compare equal only if their types are equal too."""
    if isinstance(value, tuple):
        return tuple(map(typed, value))
    if isinstance(value, float) and math.isnan(value):
        return (float, "NaN")
    return (type(value), value)


def _link(is_: str, seen: Callable[[Link], object], expected: object, **sent: Any) -> Oddity:
    return Oddity(
        is_,
        {"links": [link(ELSEWHERE, 200, sent.pop("attributes", None), **sent)]},
        lambda got: [seen(one) for one in got.body.links],
        [expected],
    )


def _event(is_: str, seen: Callable[[Any], object], expected: object, **sent: Any) -> Oddity:
    event = Message.Event(time_unix_nano=BASE_NS + 123_456_789, name="noted", **sent)
    return Oddity(is_, {"events": [event]}, lambda got: [seen(one) for one in got.events], [expected])


ODDITIES: tuple[Oddity, ...] = (
    _attribute("text", 'Grüße 🍲\n"quoted" \\ /'),
    _attribute("empty text", ""),
    _attribute("long text", "x" * 60_000),
    _attribute("the largest integer", 2**63 - 1),
    _attribute("the smallest integer", -(2**63)),
    _attribute("an integer past 53 bits", 2**53 + 1),
    _attribute("a fraction", 0.1),
    _attribute("a whole number as a fraction", 2.0),
    _attribute("a tiny fraction", 5e-324),
    _attribute("not a number", math.nan),
    _attribute("infinity", -math.inf),
    _attribute("true", True),
    _attribute("false", False),
    _attribute("bytes", b"\x00\xff\x80"),
    _attribute("empty bytes", b""),
    _attribute("a string array of ours", ("a", "b, c", "ü"), names.MAS_TASK_TRIGGERS),
    _attribute("an empty array of ours", (), names.MAS_TASK_TRIGGERS),
    _attribute("a foreign string array", ("a", "b")),
    _attribute("an array of numbers", (1, 2.5, True)),
    _attribute("a nested array", ((1,), ("a",))),
    _attribute("a map", {"a": 1}),
    _attribute("an attribute without a value", None),
    _attribute("text that looks like an array", '["a"]'),
    _attribute("an attribute called error", True, "error"),
    _attribute("an attribute called span.kind", "server", "span.kind"),
    _attribute("an attribute called otel.status_code", "OK", "otel.status_code"),
    _attribute("an attribute called w3c.tracestate", "a=b", "w3c.tracestate"),
    _attribute("an attribute with an empty name", 1, ""),
    _attribute("an attribute called otel.scope.name", "mine", "otel.scope.name"),
    _event("an event", lambda event: (event.name, event.time_ns), ("noted", BASE_NS + 123_456_789)),
    _event(
        "an event's attributes",
        lambda event: dict(event.attributes),
        {"n": 1, "s": "x"},
        attributes=pairs({"n": 1, "s": "x"}),
    ),
    _event("an event's array", lambda event: event.attributes["a"], ("x", "y"), attributes=pairs({"a": ("x", "y")})),
    _event("an event's dropped count", lambda event: event.dropped_attributes_count, 3, dropped_attributes_count=3),
    _link("a link", lambda one: (one.trace_id, one.span_id), (trace_id(ELSEWHERE), span_id(200))),
    _link("a link's attributes", lambda one: dict(one.attributes), {"why": "because"}, attributes={"why": "because"}),
    _link("a link's trace state", lambda one: one.trace_state, "a=b", trace_state="a=b"),
    _link("a link's flags", lambda one: one.flags, 0x301, flags=0x301),
    _link("a link's dropped count", lambda one: one.dropped_attributes_count, 2, dropped_attributes_count=2),
    Oddity(
        "a cause of ours",
        {"causes": [(ELSEWHERE, 201, "send"), (TRACE, _ROOT, "trigger")]},
        lambda got: [(one.trace_id, one.span_id, one.kind, dict(one.attributes)) for one in got.links],
        [
            (trace_id(ELSEWHERE), span_id(201), "send", {names.MAS_LINK_KIND: "send"}),
            (trace_id(TRACE), span_id(_ROOT), "trigger", {names.MAS_LINK_KIND: "trigger"}),
        ],
    ),
    Oddity(
        "two causes by one span",
        {"causes": [(ELSEWHERE, 202, "trigger"), (ELSEWHERE, 202, "message")]},
        lambda got: [(one.span_id, one.kind) for one in got.links],
        [(span_id(202), "trigger"), (span_id(202), "message")],
    ),
    Oddity(
        "a link to the parent",
        {"links": [link(TRACE, _ROOT)]},
        lambda got: (got.parent_span_id, [one.span_id for one in got.links]),
        (span_id(_ROOT), [span_id(_ROOT)]),
    ),
    Oddity(
        "two links to the parent",
        {"links": [link(TRACE, _ROOT), link(TRACE, _ROOT)]},
        lambda got: (got.parent_span_id, [one.span_id for one in got.links]),
        (span_id(_ROOT), [span_id(_ROOT)] * 2),
    ),
    Oddity(
        "a root with a link into its own trace",
        {"parent": None, "links": [link(TRACE, _ROOT)]},
        lambda got: (got.parent_span_id, [one.span_id for one in got.links]),
        (None, [span_id(_ROOT)]),
    ),
    Oddity("trace state", {"trace_state": "vendor=1,other=2"}, lambda got: got.body.trace_state, "vendor=1,other=2"),
    Oddity("flags", {"flags": 0x101}, lambda got: got.body.flags, 0x101),
    Oddity(
        "dropped counts",
        {"dropped_attributes_count": 1, "dropped_events_count": 2, "dropped_links_count": 3},
        lambda got: (got.body.dropped_attributes_count, got.body.dropped_events_count, got.body.dropped_links_count),
        (1, 2, 3),
    ),
    Oddity("status ok", {"status": Status(code=Status.STATUS_CODE_OK)}, lambda got: got.status, StatusCode.OK),
    Oddity(
        "an error's message",
        {"error": "böse"},
        lambda got: (got.status, got.status_message),
        (StatusCode.ERROR, "böse"),
    ),
    Oddity(
        "no status, with an HTTP status of 500",
        {"attributes": {"http.status_code": 500}},
        lambda got: got.status,
        StatusCode.UNSET,
    ),
    Oddity("kind producer", {"kind": Message.SPAN_KIND_PRODUCER}, lambda got: got.kind, SpanKind.PRODUCER),
    Oddity("kind unspecified", {"kind": Message.SPAN_KIND_UNSPECIFIED}, lambda got: got.kind, SpanKind.UNSPECIFIED),
    Oddity("an empty name", {"name": ""}, lambda got: got.name, ""),
    Oddity(
        "nanoseconds",
        {"start_ms": 1.000001, "end_ms": 2.000003},
        lambda got: (got.start_ns, got.end_ns),
        (BASE_NS + MS + 1, BASE_NS + 2 * MS + 3),
    ),
    Oddity(
        "an instant",
        {"start_ms": 5, "end_ms": 5},
        lambda got: (got.start_ns, got.end_ns),
        (BASE_NS + 5 * MS, BASE_NS + 5 * MS),
    ),
    Oddity(
        "an end before the start",
        {"start_ms": 5, "end_ms": 4},
        lambda got: (got.start_ns, got.end_ns),
        (BASE_NS + 5 * MS, BASE_NS + 4 * MS),
    ),
    Oddity("a resource's attributes", {}, lambda got: got.resource.attributes.get("where"), 7, resource={"where": 7}),
    Oddity(
        "a resource's array",
        {},
        lambda got: got.resource.attributes.get("argv"),
        ("a", "b"),
        resource={"argv": ("a", "b")},
    ),
    Oddity(
        "a host's name as Jaeger once had it",
        {},
        lambda got: got.resource.attributes.get("hostname"),
        "h",
        resource={"hostname": "h"},
    ),
    Oddity(
        "a resource's schema URL",
        {},
        lambda got: got.resource.schema_url,
        "https://a/1",
        process={"schema_url": "https://a/1"},
    ),
    Oddity(
        "a resource's dropped count",
        {},
        lambda got: got.resource.dropped_attributes_count,
        4,
        process={"dropped_attributes_count": 4},
    ),
    Oddity(
        "a service without a name",
        {},
        lambda got: (got.service, dict(got.resource.attributes)),
        ("", {"n": 1}),
        resource={"service.name": None, "n": 1},
    ),
    Oddity(
        "a process that says nothing of itself",
        {},
        lambda got: (got.service, dict(got.resource.attributes)),
        ("", {}),
        resource={"service.name": None},
    ),
    Oddity(
        "a scope",
        {},
        lambda got: (got.scope.name, got.scope.version),
        ("lib", "3"),
        scope={"name": "lib", "version": "3"},
    ),
    Oddity(
        "a scope's version without a name",
        {},
        lambda got: (got.scope.version, got.attributes),
        ("3", {}),
        scope={"version": "3"},
    ),
    Oddity(
        "a scope's attributes",
        {},
        lambda got: dict(got.scope.attributes),
        {"a": "b"},
        scope={"name": "lib", "attributes": {"a": "b"}},
    ),
    Oddity(
        "a scope's dropped count",
        {},
        lambda got: got.scope.dropped_attributes_count,
        5,
        scope={"name": "lib", "dropped_attributes_count": 5},
    ),
    Oddity(
        "a scope's schema URL",
        {},
        lambda got: got.scope.schema_url,
        "https://b/2",
        scope={"name": "lib"},
        process={"scope_schema_url": "https://b/2"},
    ),
)


def _sent(place: int, oddity: Oddity) -> TracesData:
    given = {"name": f"odd {place}", "start_ms": place + 10, "end_ms": place + 20, "parent": _ROOT, **oddity.fields}
    message = span(TRACE, number_of(place), given.pop("name"), given.pop("start_ms"), given.pop("end_ms"), **given)
    resource = {"service.name": "odd", **oddity.resource}
    scope = dict(oddity.scope) or {"name": "conformance"}
    scope["attributes"] = pairs(scope.get("attributes", {}))
    return export(
        process(
            {name: value for name, value in resource.items() if value is not None},
            [message],
            scope=InstrumentationScope(**scope),
            **oddity.process,
        )
    )


def number_of(place: int) -> int:
    return _ROOT + 1 + place


EXPORTS = (
    export(process({"service.name": "odd"}, [span(TRACE, _ROOT, "odd", -1000, 0)])),
    *(_sent(place, oddity) for place, oddity in enumerate(ODDITIES)),
)
