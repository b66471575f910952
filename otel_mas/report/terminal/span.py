"""Everything about one span, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from otel_mas.analyse.spans import Relation, SpanDetails
from otel_mas.errors.printable import printable
from otel_mas.model import EXCEPTION_EVENT, STATE_EVENT, Message
from otel_mas.model.message_text import lines_of, written
from otel_mas.report.certainty import certainty
from otel_mas.report.decisions import decision
from otel_mas.report.terminal.lines import cells, joined, kind_style, outcome, wrap
from otel_mas.report.text import count, duration, local_time, offset, plain, usd
from otel_mas.semconv import attributes as names

_NAME = 34
_MOST_RELATIONS = 30


def span(one: SpanDetails, width: int) -> Iterator[Text]:
    """Lines: what it is, when, inside what, why, what it read and wrote, attributes, events, error."""
    yield from _heading(one, width)
    yield from _section("inside", [plain(above.name) for above in one.above], width)
    yield from _section("holds", [f"{plain(child.name)}  {child.span_id}" for child in one.children], width)
    yield from _relations("caused by", one.causes, width)
    yield from _relations("caused", one.effects, width)
    yield from _error(one, width)
    yield from _messages("read", one.read, width)
    yield from _messages("wrote", one.wrote, width)
    yield from _section("changed", (one.state or "").split("\n") if one.state else [], width)
    for name, value in one.contents.items():
        yield from _section(name, lines_of(value).split("\n"), width)
    yield from _attributes(one, width)
    yield from _events(one, width)


def _heading(one: SpanDetails, width: int) -> Iterator[Text]:
    span = one.span
    parts = [Text(plain(span.name), style=f"bold {kind_style(span)}".strip())]
    if one.label is not None:
        parts.append(Text(plain(one.label), style="cyan"))
    facts = [span.record_kind, f"agent {plain(one.agent)}" if one.agent else None, decision(span)]
    parts += [Text(plain(fact)) for fact in facts if fact]
    parts += [Text(local_time(span.start_ns), style="dim")]
    parts.append(Text("not ended" if span.end_ns is None else duration(span.duration_ns)))
    ended = outcome(span)
    parts += [] if ended is None else [ended]
    yield from wrap(joined(parts, " · "), width)
    where = f"span {span.span_id}  trace {span.trace_id}" + (f"  service {plain(span.service)}" if span.service else "")
    yield cells((where, "dim"))
    read, wrote = (
        span.columns.get(name) for name in (names.GEN_AI_USAGE_INPUT_TOKENS, names.GEN_AI_USAGE_OUTPUT_TOKENS)
    )
    price = span.columns.get(names.MAS_COST_USD)
    if read is not None or wrote is not None:
        yield Text(f"{read or 0:,}→{wrote or 0:,} tokens" + ("" if price is None else f"  {usd(price)}"))


def _section(title: str, lines: Sequence[str], width: int) -> Iterator[Text]:
    if lines:
        yield Text("")
        yield Text(title, style="bold")
        for line in lines:
            for piece in wrap(Text(printable(line).rstrip()), width - 2):
                yield cells("  ", piece)


def _relations(title: str, found: Sequence[Relation], width: int) -> Iterator[Text]:
    lines = [_relation(one) for one in found[:_MOST_RELATIONS]]
    hidden = len(found) - len(lines)
    yield from _section(title, [*lines, *([f"and {count(hidden, 'more')}"] if hidden else [])], width)


def _relation(one: Relation) -> str:
    other = "" if one.span is None else f"  {one.span.span_id}"
    how = certainty(one.edge)
    return f"{one.edge.kind}{f' ({how})' if how else ''}: {plain(one.label)}{other}"


def _messages(title: str, found: Sequence[Message], width: int) -> Iterator[Text]:
    lines = []
    for one in found:
        text = "(content not kept)" if one.body is None else written(one.body)
        lines += f"{one.role}: {text}".split("\n")
    yield from _section(title, lines, width)


def _attributes(one: SpanDetails, width: int) -> Iterator[Text]:
    for group, found in one.groups.items():
        yield from _section(group, [_attribute(name.removeprefix(f"{group}."), found[name]) for name in found], width)


def _attribute(name: str, value: Any) -> str:
    return f"{plain(name):{_NAME}} {plain(_readable(value))}"


def _readable(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return ", ".join(map(_readable, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_readable(inner)}" for name, inner in value.items())
    return str(value)


def _events(one: SpanDetails, width: int) -> Iterator[Text]:
    shown_apart = {STATE_EVENT} if one.error_stack is None else {STATE_EVENT, EXCEPTION_EVENT}
    shown = [event for event in one.span.events if event.name not in shown_apart]
    parts = [
        (offset(event.time_ns - one.span.start_ns), plain(event.name), plain(_readable(event.attributes)))
        for event in shown
    ]
    lines = ["  ".join(part for part in event if part) for event in parts]
    yield from _section("events", lines, width)


def _error(one: SpanDetails, width: int) -> Iterator[Text]:
    kind = one.span.columns.get(names.ERROR_TYPE)
    if one.error_message is None and one.error_stack is None:
        return
    lines = [f"{plain(kind)}: {one.error_message or ''}"] if one.error_stack is None else one.error_stack.split("\n")
    if one.error_stack is not None and one.error_message is not None and one.error_message not in one.error_stack:
        lines.insert(0, one.error_message)
    yield Text("")
    yield Text("error", style="bold red")
    for line in lines:
        if line.strip():
            yield cells("  ", printable(line).rstrip())


__all__ = ["span"]
