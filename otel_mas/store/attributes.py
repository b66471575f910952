"""Selection of traces by an attribute that has no column: of a process from its resource, of a span from its body.

A body is looked at in SQL, and decoded only where the bytes of the attribute's name and value are in it.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Mapping

from otel_mas.model.query import attribute_text, is_value
from otel_mas.otlp.decode import decode_body, decode_resource
from otel_mas.otlp.encode import any_value
from otel_mas.otlp.wire import utf8
from otel_mas.store.columns import COLUMNS

_FUNCTION = "body_has_attribute"
_RESOURCE = """
EXISTS (SELECT 1 FROM trace_instances ti WHERE ti.trace = s.id AND ti.instance IN ({instances})) AND (
  EXISTS (SELECT 1 FROM spans p WHERE p.trace = s.id AND p.resource IN ({resources}))
  OR EXISTS (SELECT 1 FROM open_spans p WHERE p.trace = s.id AND p.resource IN ({resources}))
)"""
_BODY = f"""
EXISTS (
  SELECT 1 FROM spans p WHERE p.trace = s.id AND instr(p.body, :key_{{number}})
  AND ({{encoded}}) AND {_FUNCTION}(p.body, :name_{{number}}, :value_{{number}})
)"""
# Of an open span only the columns are stored.
_COLUMN = "EXISTS (SELECT 1 FROM open_spans p WHERE p.trace = s.id AND p.{column} = :value_{number})"


def attribute_condition(
    connection: sqlite3.Connection, attribute: tuple[str, str], number: int
) -> tuple[str, Mapping[str, object]]:
    """The condition on a trace `s` that one of its spans, or of their resources, has an attribute with this value.

    Args:
        attribute: its name, and the value as text.
        number: tells its parameters from those of other conditions.

    Returns:
        SQL, and the values of its parameters.
    """
    name, value = attribute
    connection.create_function(_FUNCTION, 3, _body_has_attribute, deterministic=True)
    encodings = {f"encoded_{number}_{place}": encoded for place, encoded in enumerate(_encodings(value))}
    encoded = " OR ".join(f"instr(p.body, :{name})" for name in encodings)
    parts = [_BODY.format(number=number, encoded=encoded)]
    resources = _resources(connection, name, value)
    if resources:
        parts.insert(0, _RESOURCE.format(instances=_list(resources.values()), resources=_list(resources)))
    column = next((one for one in COLUMNS if one.attribute == name and one.type == "TEXT"), None)
    if column is not None:
        parts.append(_COLUMN.format(column=column.name, number=number))
    values = {f"name_{number}": name, f"key_{number}": utf8(name), f"value_{number}": value, **encodings}
    return f"({' OR '.join(parts)})", values


def _resources(connection: sqlite3.Connection, name: str, value: str) -> dict[int, int]:
    """The resources with the attribute, each with its instance."""
    found = {}
    rows = connection.execute("SELECT id, instance, body FROM resources WHERE instr(body, ?)", (utf8(name),))
    for key, instance, body in rows:
        try:
            attributes = decode_resource(body).attributes
        except (ValueError, TypeError):  # damaged
            continue
        if is_value(attributes.get(name), value):
            found[key] = instance
    return found


def _encodings(value: str) -> list[bytes]:
    """The encodings of all OTLP values that are compared as this text; of some there are more than can be listed."""
    if value in ("true", "false"):
        return [any_value(value), any_value(value == "true")]
    try:
        number = float(value)
    except ValueError:
        return [any_value(value)]
    if not math.isfinite(number):
        return [b""]
    numbers = [number, -number] if number == 0 else [number]
    numbers += [whole] if (whole := _whole(value)) is not None else []
    return [any_value(one) for one in (value, *numbers) if attribute_text(one) == value]


def _whole(value: str) -> int | None:
    try:
        whole = int(value)
    except ValueError:
        return None
    return whole if -(2**63) <= whole < 2**63 else None


def _body_has_attribute(body: bytes, name: str, value: str) -> bool:
    try:
        return is_value(decode_body(body).attributes.get(name), value)
    except (ValueError, TypeError):  # damaged
        return False


def _list(keys: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(set(keys))))
