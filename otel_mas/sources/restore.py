"""Restoration of what backends lose: types of attributes, arrays that are JSON text, kinds of links, links."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from otel_mas.dialects import COUNTS
from otel_mas.model import AttributeValue, Link
from otel_mas.semconv import BOOLEANS, DOUBLES, INTEGERS, STRING_ARRAYS
from otel_mas.semconv import attributes as names

OPENTRACING_REF_TYPE = "opentracing.ref_type"

_INTEGER = re.compile(r"-?\d{1,18}")

Cause = tuple[str, str, str]
"""Trace id, span id, kind."""


def typed_value(name: str, text: str) -> str | int | float | bool:
    """The value of an attribute that a backend keeps as text, in the type that its name has.

    It stays text where the name is not known, or the text is no value of the type.
    """
    if name in INTEGERS or name in COUNTS:
        return int(text) if _INTEGER.fullmatch(text) else text
    if name in DOUBLES:
        try:
            return float(text)
        except ValueError:
            return text
    if name in BOOLEANS and text in ("true", "false"):
        return text == "true"
    return text


def restored_value(name: str, value: AttributeValue) -> AttributeValue:
    """The attribute's value; a known string array that came as JSON text is an array again.

    For a name outside the registry, text and array cannot be told apart.
    """
    if name not in STRING_ARRAYS or not isinstance(value, str) or not value.startswith("["):
        return value
    try:
        items = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return tuple(items) if all(isinstance(item, str) for item in items) else value


def restored_attributes(attributes: Mapping[str, AttributeValue]) -> Mapping[str, AttributeValue]:
    """The attributes with every known array as an array; the same mapping where that changes nothing."""
    changed = {
        name: restored
        for name in STRING_ARRAYS & attributes.keys()
        if (restored := restored_value(name, attributes[name])) is not attributes[name]
    }
    return {**attributes, **changed} if changed else attributes


def causes_of(attributes: Mapping[str, AttributeValue]) -> list[Cause]:
    """The causes in `mas.cause.spans` and `mas.cause.kinds`; none where the two have different lengths."""
    spans, kinds = attributes.get(names.MAS_CAUSE_SPANS), attributes.get(names.MAS_CAUSE_KINDS)
    if not isinstance(spans, Sequence) or not isinstance(kinds, Sequence) or len(spans) != len(kinds):
        return []
    pairs = [str(span).partition("-") for span in spans]
    if not all(trace_id and span_id for trace_id, _, span_id in pairs):
        return []
    return [(trace_id, span_id, str(kind)) for (trace_id, _, span_id), kind in zip(pairs, kinds, strict=True)]


def restored_links(links: tuple[Link, ...], causes: Sequence[Cause]) -> tuple[Link, ...]:
    """The links with the kinds of their causes, and a link for each cause that has none.

    Returns:
        The causes' links first, as they are recorded, then the others; the same tuple where nothing was lost.
    """
    if [(link.trace_id, link.span_id, link.kind) for link in links[: len(causes)]] == causes:
        return links
    indexes: dict[tuple[str, str, str | None], list[int]] = defaultdict(list)
    for index in reversed(range(len(links))):
        indexes[links[index].trace_id, links[index].span_id, links[index].kind].append(index)
    used: set[int] = set()
    first = [_link(links, indexes, cause, used) for cause in causes]
    if {id(link) for link in first} <= {id(link) for link in links}:
        return links
    return (*first, *(link for index, link in enumerate(links) if index not in used))


def _link(
    links: Sequence[Link], indexes: dict[tuple[str, str, str | None], list[int]], cause: Cause, used: set[int]
) -> Link:
    """This cause's link: one of its kind, else one to the same span without a kind, else a new one."""
    trace_id, span_id, kind = cause
    for wanted in (kind, None):
        same = indexes.get((trace_id, span_id, wanted))
        if same:
            used.add(same[-1])
            link = links[same.pop()]
            return link if wanted is not None else _with_kind(link, kind)
    return Link(trace_id, span_id, kind, {names.MAS_LINK_KIND: kind})


def _with_kind(link: Link, kind: str) -> Link:
    # Jaeger's older model has links only as OpenTracing references, with an attribute of that name in index of others.
    kept = {name: value for name, value in link.attributes.items() if name != OPENTRACING_REF_TYPE}
    return replace(link, kind=kind, attributes={names.MAS_LINK_KIND: kind, **kept})
