"""Correlation: ids in OpenTelemetry's baggage that say what a run belongs to, as attributes of its spans."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from opentelemetry import baggage
from opentelemetry.context import Context, get_current

from otel_mas.semconv import attributes as names

CORRELATION: Final[Mapping[str, str]] = MappingProxyType(
    {
        "workflow": names.MAS_WORKFLOW_ID,
        "mission": names.MAS_MISSION_ID,
        "conversation": names.GEN_AI_CONVERSATION_ID,
        "session": names.SESSION_ID,
        "turn": names.MAS_TURN_ID,
        "user": names.USER_ID,
        "request": names.MAS_REQUEST_ID,
    }
)
"""Attributes with the ids of what a run can belong to, by argument of `correlation`; also the names in the baggage."""
CORRELATION_NAMES: Final = frozenset(CORRELATION.values())
MAX_CHARACTERS: Final = 256
"""Length of an id. A longer one, and one with characters that cannot be printed, is refused."""

# The API's key of the baggage: with it the baggage is found in one step.
(BAGGAGE_KEY,) = baggage.set_baggage("name", "value", Context())

_MAX_REMEMBERED: Final = 1024
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_Baggage = dict[str, object]
# By identity: OpenTelemetry copies a baggage before it changes it. Each is kept, so that no other one gets its id.
_remembered: dict[int, tuple[_Baggage, Mapping[str, str]]] = {}


def correlation_of(context: Context) -> Mapping[str, str]:
    """The attributes that spans in this OTel context get. Not to be changed."""
    entries: Any = context.get(BAGGAGE_KEY)
    if not entries or not isinstance(entries, dict):
        return _NOTHING
    known = _remembered.get(id(entries))
    if known is None or known[0] is not entries:
        if len(_remembered) >= _MAX_REMEMBERED:
            _remembered.clear()
        found = {name: str(entries[name]) for name in CORRELATION_NAMES if is_id(entries.get(name))}
        known = _remembered[id(entries)] = entries, found
    return known[1]


def correlate(attributes: Any, context: Context | None = None) -> None:
    """Add the ids of a context (the current one by default) to attributes, except those that are there."""
    found = correlation_of(get_current() if context is None else context)
    for name, value in found.items():
        if attributes.get(name) is None:
            attributes[name] = value


def is_id(value: object) -> bool:
    """Whether a value can be an id: a text of 1 to `MAX_CHARACTERS` characters that can be printed."""
    return type(value) is str and 0 < len(value) <= MAX_CHARACTERS and value.isprintable()


__all__ = [
    "BAGGAGE_KEY",
    "CORRELATION",
    "CORRELATION_NAMES",
    "MAX_CHARACTERS",
    "correlate",
    "correlation_of",
    "is_id",
]
