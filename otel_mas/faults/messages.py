"""Messages between the tasks of a graph: who wrote what a task reads, and what faults make of it.

A value of the state is a message from the tasks that wrote it; of a list or mapping, each item is one from its writer.
Only the reader's own copy is changed: the state, and what others read, stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import is_
from random import Random
from typing import Any, Final, NamedTuple

from otel_mas.faults import values
from otel_mas.faults.fault import Fault
from otel_mas.instrumentation.langgraph.channels import kind_of
from otel_mas.model.channels import TASKS, ChannelKind
from otel_mas.semconv.enums import FaultKind

Names = tuple[str, ...]
"""The names of a task: its node, and the agent that it is."""

_NOBODY: Final[tuple[Names, ...]] = ()
MISSING: Final = object()
"""Stands for a field that is left out."""


class Writes(NamedTuple):
    """The writes of a task that has ended."""

    names: Names
    writes: Sequence[tuple[str, Any]]


class Origins:
    """The writers of the values in a graph's state, by channel and by item of a list, in one run."""

    def __init__(self) -> None:
        self._channels: dict[str, tuple[Names, ...]] = {}
        self._items: dict[Any, tuple[Any, Names]] = {}
        self._sends: dict[int, tuple[Any, Names]] = {}

    def applied(self, tasks: Sequence[Writes], channels: Mapping[str, Any]) -> None:
        """Note who wrote what, once LangGraph has applied the writes of a step."""
        self._sends = {}
        written: dict[str, list[tuple[Names, Any]]] = {}
        for names, writes in tasks:
            for channel, value in writes:
                if channel == TASKS:
                    self._sends[id(value)] = value, names
                elif channel in channels:
                    written.setdefault(channel, []).append((names, value))
        for channel, by in written.items():
            self._wrote(channel, channels[channel], by)

    def _wrote(self, name: str, channel: Any, by: Sequence[tuple[Names, Any]]) -> None:
        writers = tuple(dict.fromkeys(names for names, _ in by))
        if kind_of(channel) is ChannelKind.ACCUMULATED:
            writers = tuple(dict.fromkeys((*self._channels.get(name, ()), *writers)))
        self._channels[name] = writers
        value = channel.get() if channel.is_available() else None
        if isinstance(value, dict):
            for names, written in by:
                self._items |= {(name, key): (None, names) for key in (written if isinstance(written, dict) else ())}
        elif isinstance(value, list):
            by_item = {_key(item): names for names, value in by for item in _items(value)}
            for item in value:
                known = by_item.get(_key(item)) or (by[0][0] if len(by) == 1 else None)
                if known is not None:
                    self._items.setdefault(_key(item), (item, known))

    def returned(self, value: Any, names: Names) -> None:
        """Note who returned a value, of a task of the functional API."""
        self._items[_key(value)] = value, names

    def of_channel(self, channel: str) -> tuple[Names, ...]:
        """The writers of the value that a channel holds."""
        return self._channels.get(channel, _NOBODY)

    def of_item(self, item: Any) -> Names | None:
        """The writer of an item of a list, or of what a task returned, where it is known."""
        known = self._items.get(_key(item))
        return None if known is None else known[1]

    def of_items(self, channel: Any, value: Any) -> dict[Any, Names]:
        """The writers of the items of a list or mapping, by their places or keys, as far as they are known."""
        if isinstance(value, dict):
            return {key: self._items[channel, key][1] for key in value if (channel, key) in self._items}
        if isinstance(value, list):
            return {place: names for place, item in enumerate(value) if (names := self.of_item(item)) is not None}
        return {}

    def of_send(self, argument: Any) -> Names | None:
        """The sender of what a `Send` carries, where it is known."""
        return next((names for send, names in self._sends.values() if send.arg is argument), None)


def _key(item: Any) -> Any:
    """Messages are the same by their id: LangGraph may copy them."""
    found = getattr(item, "id", None) if values.is_message(item) else None
    return ("message", found) if isinstance(found, str) else id(item)


def _items(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)


class Part(NamedTuple):
    """A part of a task's input that a fault hits.

    Args:
        name: of the field or argument; None for the whole input.
        items: the places or keys of the items of a list or mapping; None for the whole value.
    """

    name: Any
    items: frozenset[Any] | None


def fields(given: Any) -> dict[Any, Any]:
    """The fields of a task's input: of a mapping, an object, or the input itself under None."""
    if isinstance(given, dict):
        return given
    found: dict[Any, Any] = dict(values.fields_of(given))
    return found or {None: given}


def hit_parts(
    fault: Fault, named: Mapping[Any, Any], reader: Names, origins: Origins, sender: Names | None = None
) -> Iterator[Part]:
    """The parts of an input that a fault's scope has.

    Args:
        fault: one of a message.
        named: the input, by field.
        reader: the task.
        origins: who wrote what.
        sender: of all that has no known writer: of a `Send`, of a call.
    """
    for name, value in named.items():
        if fault.field is not None and name != fault.field:
            continue
        if fault.kind == FaultKind.FIELD_FORGOTTEN:
            if fault.agent is None or fault.agent in reader:
                yield Part(name, None)
            continue
        by_item = origins.of_items(name, value)
        items = frozenset(key for key, writer in by_item.items() if fault.reads(writer, reader))
        if items:
            yield Part(name, items)
        elif not by_item and any(fault.reads(one, reader) for one in _writers(name, value, origins, sender)):
            yield Part(name, None)


def _writers(name: Any, value: Any, origins: Origins, sender: Names | None) -> Iterable[Names]:
    if sender is None:
        return origins.of_channel(name)
    return (origins.of_item(value) or sender,)


def changed_parts(fault: Fault, named: Mapping[Any, Any], parts: Sequence[Part], random: Random) -> dict[Any, Any]:
    """The fields that a fault changes, with their new values; `MISSING` where a field is to be left out."""
    found, seed = {}, random.getrandbits(64)
    for part in parts:
        old = named[part.name]
        new = _changed(fault.kind, old, part.items, seed)
        if new is not old:
            found[part.name] = new
    return found


def _changed(kind: FaultKind, value: Any, items: frozenset[Any] | None, seed: int) -> Any:
    if kind == FaultKind.FIELD_FORGOTTEN or (kind == FaultKind.MESSAGE_LOST and items is None):
        return MISSING
    if items is None:
        return changed_value(kind, value, seed)
    if isinstance(value, dict):
        new = {key: _new_items(kind, item, key in items, seed) for key, item in value.items()}
        found: Any = {key: one[0] for key, one in new.items() if one}
        same = found.keys() == value.keys() and all(found[key] is value[key] for key in found)
    else:
        found = [new for place, item in enumerate(value) for new in _new_items(kind, item, place in items, seed)]
        same = len(found) == len(value) and all(map(is_, found, value))
    return value if same else found


def _new_items(kind: FaultKind, item: Any, hit: bool, seed: int) -> Sequence[Any]:
    if not hit:
        return (item,)
    if kind == FaultKind.MESSAGE_LOST:
        return ()
    if kind == FaultKind.MESSAGE_DUPLICATED:
        return (item, item)
    return (changed_value(kind, item, seed),)


def changed_value(kind: FaultKind, value: Any, seed: int) -> Any:
    """A value as it arrives corrupted or contradicted; the same object where nothing in it can be.

    Equal values become equal ones: what stands in a field and in a text still agrees.
    """
    if kind == FaultKind.MESSAGE_CORRUPTED:
        return values.corrupted(value, Random(seed))
    if kind == FaultKind.MESSAGE_CONTRADICTED:
        return values.contradicted(value, Random(seed))
    return value


def with_changes(given: Any, changes: Mapping[Any, Any]) -> Any:
    """A task's input with the fields changed; the original stays as it is."""
    if None in changes:
        return None if changes[None] is MISSING else changes[None]
    if isinstance(given, dict):
        kept = {name: value for name, value in given.items() if changes.get(name) is not MISSING}
        return kept | {name: value for name, value in changes.items() if value is not MISSING}
    return values.with_fields(given, {name: None if v is MISSING else v for name, v in changes.items()})


__all__ = [
    "MISSING",
    "Names",
    "Origins",
    "Part",
    "Writes",
    "changed_parts",
    "changed_value",
    "fields",
    "hit_parts",
    "with_changes",
]
