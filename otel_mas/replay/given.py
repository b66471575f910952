"""Input of a run in a replay: it tells which of several recorded runs of its graph, at the same place, it repeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from otel_mas.record import field_of, snapshot, without_media
from otel_mas.replay.request import Form, Normaliser, canonical, role_and_parts


def plain_input(given: Any, channels: Iterable[str]) -> dict[str, Any]:
    """The input of a run by channel, as a recording has it (`contents.given_values`); empty where it is no state.

    Args:
        given: a mapping, or an object with fields.
        channels: that the graph's author declared.
    """
    if isinstance(given, Mapping):
        return {name: _plain(given[name]) for name in channels if name in given}
    found = {name: field_of(given, name) for name in channels}
    return {name: _plain(value) for name, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    several = value if type(value) is list else [value]
    if several and all(map(_is_message, several)):
        return [dict(zip(("role", "parts"), role_and_parts(one), strict=True)) for one in several]
    return without_media(snapshot(value)[0])


def _is_message(value: Any) -> bool:
    from langchain_core.messages import BaseMessage

    return isinstance(value, BaseMessage)


def is_same_input(given: Mapping[str, Any], recorded: Mapping[str, Any], normaliser: Normaliser) -> bool:
    """Whether two inputs are the same, as far as both are known, in one of the forms of requests."""
    known = given.keys() & recorded.keys()

    def form(values: Mapping[str, Any], form: Form) -> bytes:
        return canonical({name: normaliser.form(name, values[name], form) for name in known})

    return bool(known) and any(form(given, one) == form(recorded, one) for one in Form)


__all__ = ["is_same_input", "plain_input"]
