"""A span as another program wrote it, and how its attributes are read: text, counts, JSON."""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from otel_mas.semconv import attributes as names

Attributes = Mapping[str, Any]

_MAX_LITERAL: Final = 10_000
"""Characters of a Python literal that is read; longer ones are no list of names."""


def no_events() -> Sequence[tuple[str, Attributes]]:
    """The events of a span without any."""
    return ()


@dataclass(frozen=True, slots=True)
class ForeignSpan:
    """A span as dialects read it.

    Args:
        attributes: of the span, as they came.
        name: of the span.
        failed: whether its status is ERROR.
        span_id: in hex; empty where it is not asked for.
        events: gives the names and attributes of its events, in order; called only where a dialect asks for them.
    """

    attributes: Attributes
    name: str = ""
    failed: bool = False
    span_id: str = ""
    events: Callable[[], Iterable[tuple[str, Attributes]]] = no_events

    def exceptions(self) -> list[str]:
        """Types of the exceptions in its events, in order."""
        found = [one.get(names.EXCEPTION_TYPE) for name, one in self.events() if name == "exception"]
        return [kind for kind in found if isinstance(kind, str) and kind]


def first(attributes: Attributes, keys: Sequence[str]) -> Any:
    """The first of these attributes that is there; None where none is."""
    return next((value for key in keys if (value := attributes.get(key)) is not None), None)


def text(attributes: Attributes, *keys: str) -> str | None:
    """The first of these attributes that is a text, and not empty."""
    return next((value for key in keys if isinstance(value := attributes.get(key), str) and value), None)


def count(value: object) -> int | None:
    """A count of something; also one that a backend kept as text, or as a float. None for what is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 18:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 2**63 else None


def amount(value: object) -> float | None:
    """An amount of dollars; None for what is none."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < float("inf") else None


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping, or JSON text of one; empty for anything else."""
    found = parsed_json(value)
    return found if isinstance(found, Mapping) else {}


def items(value: Any) -> Sequence[Any]:
    """A list, or the JSON or Python text of one; empty for anything else."""
    found = parsed_json(value)
    if isinstance(found, str) and found.startswith(("[", "(")) and len(found) <= _MAX_LITERAL:
        try:
            found = literal_eval(found)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return ()
    return found if isinstance(found, list | tuple) else ()


def parsed_json(value: Any) -> Any:
    """An attribute's value that is JSON text, or has the same structure; text that is no JSON as it is."""
    if not isinstance(value, str):
        return with_lists(value)
    try:
        return orjson.loads(value)
    except ValueError:
        return value


def with_lists(value: Any) -> Any:
    """An attribute's value with lists in place of tuples, as JSON has it."""
    if isinstance(value, tuple | list):
        return [with_lists(item) for item in value]
    return {name: with_lists(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def json_text(value: Any) -> str | None:
    """A structure as JSON; a text as it is."""
    return None if value is None else value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


__all__ = [
    "Attributes",
    "ForeignSpan",
    "amount",
    "count",
    "first",
    "items",
    "json_text",
    "mapping",
    "no_events",
    "parsed_json",
    "text",
    "with_lists",
]
