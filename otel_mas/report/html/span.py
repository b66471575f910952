"""One span, or several: what it was, when, and everything it says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from otel_mas.model import Span
from otel_mas.report.html.block import Head, ended, folded, left_out, line, named, table
from otel_mas.report.markup import Child, Markup, element, text
from otel_mas.report.text import beginning, count, duration, local_time, offset, plain

MOST_SPANS = 200
_MOST = 200
_LONGEST = 2_000
_LONG = 160


def span(one: Span) -> Markup:
    """Its name, times and ids; attributes, links and events as tables."""
    took = "not ended" if one.end_ns is None else duration(one.duration_ns)
    parts: list[Child] = [element("b", named(one.name, one)), one.kind.name, local_time(one.start_ns), took]
    parts += [element("code", one.span_id), element("span", "in trace ", element("code", one.trace_id))]
    if one.service:
        parts.append(plain(one.service))
    how = ended(one) or (element("span", plain(one.status_message), class_="om-bad") if one.status_message else None)
    if how is not None:
        parts.append(how)
    return text(line(parts), _attributes("attribute", one.attributes), _links(one), _events(one))


def spans(found: Sequence[Span]) -> Markup:
    """Spans in a list, in the order given."""
    if not found:
        return element("p", "No span.")
    begin = min(one.start_ns for one in found)
    heads = (
        Head("span"),
        Head("id"),
        Head("start", numeric=True),
        Head("took", numeric=True),
        Head("service"),
        Head(""),
    )
    rows = [
        [
            named(one.name, one),
            element("code", one.span_id),
            offset(one.start_ns - begin),
            "" if one.end_ns is None else duration(one.duration_ns),
            plain(one.service),
            ended(one),
        ]
        for one in found[:MOST_SPANS]
    ]
    hidden = len(found) - len(rows)
    return text(table(heads, rows), left_out([count(hidden, "later span")] if hidden else []))


def _attributes(noun: str, found: Mapping[str, Any]) -> Markup | None:
    if not found:
        return None
    rows = [[element("code", plain(name)), _value(found[name])] for name in sorted(found, key=str)[:_MOST]]
    hidden = len(found) - len(rows)
    more = left_out([count(hidden, noun)] if hidden else [])
    return text(table((Head(noun), Head("value", text=True)), rows), more)


def _links(one: Span) -> Markup | None:
    if not one.links:
        return None
    rows: list[list[Child]] = [
        [link.kind or "link", element("code", link.span_id), element("code", link.trace_id)]
        for link in one.links[:_MOST]
    ]
    hidden = len(one.links) - len(rows)
    heads = (Head("caused by"), Head("span"), Head("of trace"))
    return text(table(heads, rows), left_out([count(hidden, "link")] if hidden else []))


def _events(one: Span) -> Markup | None:
    if not one.events:
        return None
    rows: list[list[Child]] = [
        [plain(event.name), offset(event.time_ns - one.start_ns), _value(dict(event.attributes))]
        for event in one.events[:_MOST]
    ]
    hidden = len(one.events) - len(rows)
    heads = (Head("event"), Head("at", numeric=True), Head("attributes", text=True))
    return text(table(heads, rows), left_out([count(hidden, "event")] if hidden else []))


def _value(value: Any) -> Child:
    phrase = readable(value)
    if len(phrase) <= _LONG:
        return phrase
    return folded(f"{phrase[:_LONG]}…", element("pre", beginning(phrase, _LONGEST), class_="om-wrap"))


def readable(value: Any) -> str:
    """A recorded value as text: strings as they are, anything else as JSON."""
    if isinstance(value, str):
        return value
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS
    try:
        phrase = orjson.dumps(value, default=_plainer, option=options).decode()
        if len(phrase) > _LONG:
            phrase = orjson.dumps(value, default=_plainer, option=options | orjson.OPT_INDENT_2).decode()
        return phrase
    except (TypeError, ValueError, RecursionError):
        return str(value)


def _plainer(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
