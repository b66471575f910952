"""Filters of traces and of all that is found in them: one table for Python, the command line and docs/query.md."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypedDict, get_args, get_type_hints

from otel_mas.api.when import duration_ns, instant_ns
from otel_mas.errors import UnsupportedQuery, arguments
from otel_mas.model import STATUSES, Query
from otel_mas.model.query import attribute_text
from otel_mas.model.status import MEANINGS
from otel_mas.semconv import attributes as names

MOST_TRACES = 1_000
"""Traces that are read for a question over many runs, unless another limit is given."""

_DURATION, _TIME = "DURATION", "TIME"


@dataclass(frozen=True, slots=True)
class Field:
    """The field of `Query` that a filter sets.

    `metavar` says what the command line takes; a DURATION or a TIME is read by `otel_mas.api.when`.
    """

    name: str
    metavar: str = "NAME"


class Filters(TypedDict, total=False):
    """Keyword arguments of everything that selects traces. One that is None is not asked for."""

    status: Annotated[str | None, Field("status", "STATUS"), f"With this status. {MEANINGS[0].upper()}{MEANINGS[1:]}."]
    since: Annotated[
        str | float | datetime | None, Field("since_ns", _TIME), "Started since: 1h, 2d, 2026-11-21T10:00."
    ]
    until: Annotated[str | float | datetime | None, Field("until_ns", _TIME), "Started until then."]
    older_than: Annotated[str | float | None, Field("until_ns", _DURATION), "Started this long ago or longer: 10m."]
    min_duration: Annotated[
        str | float | None, Field("min_duration_ns", _DURATION), "This long or longer: 500ms, 2s, 1h30m."
    ]
    max_duration: Annotated[str | float | None, Field("max_duration_ns", _DURATION), "This long or shorter."]
    operation: Annotated[
        str | None, Field("operation"), "With this `gen_ai.operation.name`: chat, execute_tool, invoke_agent, ..."
    ]
    agent: Annotated[str | None, Field("agent"), "In which this agent took part."]
    tool: Annotated[str | None, Field("tool"), "In which this tool was called."]
    model: Annotated[str | None, Field("model"), "In which this model was asked, or answered."]
    conversation: Annotated[str | None, Field("conversation_id", "THREAD"), "Of this thread."]
    user: Annotated[str | None, Field("attributes", "ID"), "With this `user.id`."]
    session: Annotated[str | None, Field("attributes", "ID"), "With this `session.id`."]
    mission: Annotated[str | None, Field("attributes", "ID"), "With this `mas.mission.id`."]
    turn: Annotated[str | None, Field("attributes", "ID"), "With this `mas.turn.id`."]
    request: Annotated[str | None, Field("attributes", "ID"), "With this `mas.request.id`."]
    attribute: Annotated[
        Mapping[str, Any] | None,
        Field("attributes", "KEY=VALUE"),
        "With this attribute of a span or of its process, such as service.version=1.2; may be given several times.",
    ]
    error_type: Annotated[str | None, Field("error_type"), "With an error of this type: TimeoutError."]
    service: Annotated[str | None, Field("service"), "Of this service."]
    run: Annotated[str | None, Field("run_id", "ID"), "Recorded by this `otel-mas run`."]


FILTERS: dict[str, tuple[Field, str]] = {
    name: get_args(hint)[1:] for name, hint in get_type_hints(Filters, include_extras=True).items()
}
"""Field and meaning of each filter."""

_ATTRIBUTES: Mapping[str, str] = {
    "user": names.USER_ID,
    "session": names.SESSION_ID,
    "mission": names.MAS_MISSION_ID,
    "turn": names.MAS_TURN_ID,
    "request": names.MAS_REQUEST_ID,
}
_PARSERS: Mapping[str, Callable[[Any], Any]] = {_DURATION: duration_ns, _TIME: instant_ns}


def query_of(filters: Mapping[str, Any], limit: int, statuses: Sequence[str] = STATUSES) -> Query:
    """The query for these `Filters`.

    Args:
        statuses: The values of the filter by status.

    Raises:
        TypeError: There is no such filter, or a value is of another type.
        UnsupportedQuery: A value means nothing.
    """
    arguments.mapping("filters", filters, "{'since': '1d'}")
    unknown = filters.keys() - FILTERS.keys()
    if unknown:
        raise TypeError(f"no filter is called {', '.join(sorted(unknown))}: there are {', '.join(FILTERS)}")
    arguments.number_of("limit", limit)
    values: dict[str, Any] = {}
    for name, value in filters.items():
        if value is not None:
            field = FILTERS[name][0]
            if name == "status" and value not in statuses:
                noun = "trace" if statuses == STATUSES else "execution"
                raise UnsupportedQuery(f"no {noun} has the status {value!r}: ask for one of {', '.join(statuses)}")
            found = _parsed(name, field, value)
            values[field.name] = _both(values[field.name], found) if field.name in values else found
    return Query(**values, limit=limit)


def _parsed(name: str, field: Field, value: Any) -> Any:
    if name == "older_than":
        return instant_ns(checked(duration_ns, value) / 1e9)
    if name in _ATTRIBUTES:
        return ((_ATTRIBUTES[name], arguments.name(name, value)),)
    if name == "attribute":
        return _attributes(value)
    return checked(_PARSERS[field.metavar], value) if field.metavar in _PARSERS else arguments.name(name, value)


def checked(parse: Callable[[Any], Any], value: Any) -> Any:
    """The value that a function of `otel_mas.api.when` reads. Raises `UnsupportedQuery` where it cannot."""
    try:
        return parse(value)
    except (ValueError, OverflowError) as error:
        raise UnsupportedQuery(str(error)) from None


def _attributes(value: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    arguments.mapping("attribute", value, "{'service.version': '1.2'}")
    texts = {arguments.name("name of an attribute", name): attribute_text(one) for name, one in value.items()}
    wrong = [name for name, text in texts.items() if text is None]
    if wrong:
        raise UnsupportedQuery(f"attribute {wrong[0]} is compared with a text, a number, True or False: give one")
    return tuple((name, text) for name, text in texts.items() if text is not None)


def _both(one: Any, other: Any) -> Any:
    """Two filters of one field: every attribute, or the earlier of two times."""
    return one + other if isinstance(one, tuple) else min(one, other)
