"""Values against JSON schemas: the part of the standard that tools' parameters use."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

_FALSE_OR_TRUE = frozenset(("true", "false", "yes", "no", "on", "off", "0", "1", "t", "f", "y", "n"))
_MOST = 100
"""Items of a list that are looked at."""
_DEEPEST = 16


def violation(value: Any, schema: Any, where: str = "", depth: int = _DEEPEST) -> str | None:
    """The first contradiction of a value to a schema, in words that quote nothing of the value; None without any.

    Lenient as pydantic is: a number may be text, say. Keywords that are not known here (`$ref`, `pattern`, ...) are
    taken as kept.
    """
    if not isinstance(schema, Mapping) or depth <= 0:
        return None
    for choice in ("anyOf", "oneOf"):
        choices = schema.get(choice)
        if isinstance(choices, list) and choices:
            found = [violation(value, one, where, depth - 1) for one in choices]
            return None if None in found else found[0] if len(found) == 1 else f"{_at(where)} is none of what it may be"
    allowed = schema.get("enum")
    if isinstance(allowed, list) and value not in allowed:
        return f"{_at(where)} is not one of {', '.join(map(str, allowed[:8]))}"
    wanted = schema.get("type")
    if isinstance(wanted, str) and not _is_a(value, wanted):
        return f"{_at(where)} is no {wanted}"
    if isinstance(value, Mapping):
        return _in_object(value, schema, where, depth)
    if isinstance(value, list) and "items" in schema:
        items = enumerate(islice(value, _MOST))
        found = [violation(one, schema["items"], f"{where}[{i}]", depth - 1) for i, one in items]
        return next(filter(None, found), None)
    return None


def _in_object(value: Mapping[str, Any], schema: Mapping[str, Any], where: str, depth: int) -> str | None:
    prefix = f"{where}." if where else ""
    properties = schema.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        if name not in value:
            return f"{prefix}{name} is missing"
    if schema.get("additionalProperties") is False:
        for name in value:
            if name not in properties:
                return f"{prefix}{name} is not known"
    found = (
        violation(value[name], properties[name], f"{prefix}{name}", depth - 1) for name in value.keys() & properties
    )
    return next(filter(None, found), None)


def _is_a(value: Any, wanted: str) -> bool:
    match wanted:
        case "object":
            return isinstance(value, Mapping)
        case "array":
            return isinstance(value, list | tuple)
        case "string":
            return isinstance(value, str)
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool) or str(value).lower() in _FALSE_OR_TRUE
        case "integer" | "number":
            return _is_number(value, whole=wanted == "integer")
        case _:
            return True


def _is_number(value: Any, *, whole: bool) -> bool:
    if not isinstance(value, int | float | str):
        return False
    try:
        number = float(value)
    except ValueError:
        return False
    return not whole or number.is_integer()


def _at(where: str) -> str:
    return where or "the whole"


__all__ = ["violation"]
