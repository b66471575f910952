"""Changes of a state, snapshots and their comparison, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from otel_mas.analyse.state import ChannelVersion, StateChange, StateComparison, StateSnapshot
from otel_mas.analyse.state.values import value_text
from otel_mas.report.terminal.lines import fit, wrap
from otel_mas.report.text import count, listing, offset, plain

_WIDEST = 32
_NO_MORE_THAN = 500
_UPDATES = 3


def state(changes: Sequence[StateChange], start_ns: int, width: int) -> Iterator[Text]:
    """A line for each change: when others could read it, who wrote it, the channel with its version, old → new."""
    if not changes:
        yield Text("No change of a state was recorded.")
        return
    task, channel = (_width(texts) for texts in zip(*((one.task, _channel(one)) for one in changes), strict=True))
    old: dict[tuple[str, str], StateChange] = {}
    for one in changes[:_NO_MORE_THAN]:
        before = old.get((one.graph, one.channel))
        line = Text.assemble(
            (f"{offset(one.time_ns - start_ns):>9}  ", "dim"),
            fit(Text(plain(one.task), style="cyan"), task),
            "  ",
            fit(Text(_channel(one), style="bold"), channel),
            "  ",
            _written(one, before),
        )
        yield fit(line, width)
        old[one.graph, one.channel] = one
    if len(changes) > _NO_MORE_THAN:
        yield Text(f"and {count(len(changes) - _NO_MORE_THAN, 'more change')}; --json lists all of them", style="dim")


def state_at(snapshot: StateSnapshot, width: int) -> Iterator[Text]:
    """The state that a task read, or that a graph had at a moment: a line for each channel."""
    yield Text(f"State that {plain(snapshot.where)} read" if "#" in snapshot.where else f"State at {snapshot.where}")
    yield Text("")
    if not snapshot.channels:
        yield Text("Nothing had been written.")
    channel = _width([f"{one.channel} v{one.version}" for one in snapshot.channels])
    writers = _width([_by(one) for one in snapshot.channels])
    for one in snapshot.channels:
        name = fit(Text(plain(f"{one.channel} v{one.version}"), style="bold"), channel)
        yield fit(Text.assemble(name, "  ", fit(Text(_by(one), style="dim"), writers), "  ", _value(one)), width)
    yield from _notes(snapshot, width)


def states_compared(comparison: StateComparison, width: int) -> Iterator[Text]:
    """A line for each channel: the versions that the two read, and the tasks whose changes only one of them has."""
    first, second = comparison.first, comparison.second
    names = [plain(first.where), plain(second.where)]
    channel = max(7, _width([one.channel for one in comparison.differences]))
    columns = [max(len(name), 4) for name in names]
    heading = [fit(Text(name, style="dim"), wide) for name, wide in zip(names, columns, strict=True)]
    yield Text.assemble(fit(Text("channel", style="dim"), channel), "  ", heading[0], "  ", heading[1])
    for one in comparison.differences:
        versions = ["–" if version is None else f"v{version.version}" for version in (one.first, one.second)]
        texts = [fit(Text(version), wide) for version, wide in zip(versions, columns, strict=True)]
        apart = "same" if one.same else f"changed by {listing([*dict.fromkeys(plain(x.task) for x in one.between)], 5)}"
        style = "dim" if one.same else "yellow"
        yield fit(
            Text.assemble(fit(Text(plain(one.channel)), channel), "  ", texts[0], "  ", texts[1], "  ", (apart, style)),
            width,
        )
    for snapshot in (first, second):
        yield from _notes(snapshot, width)


def _notes(snapshot: StateSnapshot, width: int) -> Iterator[Text]:
    for note in snapshot.notes:
        yield Text("")
        yield from wrap(Text(plain(note), style="dim"), width)


def _channel(one: StateChange) -> str:
    return plain(f"{one.channel} v{one.version}")


def _written(one: StateChange, before: StateChange | None) -> Text:
    value = Text(f"({one.missing})", style="dim") if one.missing is not None else Text(plain(value_text(one.value)))
    if one.replaces is None:
        return Text.assemble(("wrote ", "dim"), value)
    if not one.replaces:
        return Text.assemble((f"{plain(one.reducer or 'update')} ← ", "dim"), value)
    if before is None:
        return value
    old = "(unknown)" if before.missing is not None else plain(value_text(before.value))
    return Text.assemble((old, "dim"), " → ", value)


def _by(one: ChannelVersion) -> str:
    return plain(f"by {listing(list(one.writers))}" + (", from the graph around" if one.inherited else ""))


def _value(one: ChannelVersion) -> Text:
    if one.last.replaces:
        if one.missing is not None:
            return Text(f"({one.missing})", style="dim")
        return Text(plain(value_text(one.value)))
    texts = [plain(value_text(change.value)) for change in one.changes if change.missing is None]
    left_out = f" ({len(one.changes) - len(texts)} not kept)" if len(texts) < len(one.changes) else ""
    number = Text(f"{count(len(one.changes), 'update')}{left_out}", style="dim")
    return Text.assemble(number, ": " if texts else "", " | ".join(texts[-_UPDATES:]))


def _width(texts: Sequence[str]) -> int:
    return min(_WIDEST, max((Text(plain(text)).cell_len for text in texts), default=0))


__all__ = ["state", "state_at", "states_compared"]
