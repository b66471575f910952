"""The metadata of Langfuse's observations, in which it keeps what an OpenTelemetry span came with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from otel_mas.dialects.reading import parsed_json
from otel_mas.sources.exports.gen_ai import is_plain, json_text
from otel_mas.sources.restore import typed_value


@dataclass(slots=True, kw_only=True)
class Original:
    """Parts of the span that came to Langfuse. Langfuse has moved its content to the input and output."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope: tuple[str, str, Mapping[str, Any]] = ("", "", {})
    """Name, version and attributes."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """Metadata that was given to Langfuse's SDK; under an empty name what is no mapping."""


def original_of(metadata: Any) -> Original:
    """The parts of an observation's metadata.

    Args:
        metadata: JSON text, or a structure, or a flat one with names like `resourceAttributes.service.name`.
    """
    given = parsed_json(metadata)
    if not isinstance(given, Mapping):
        return Original(metadata={} if given is None else {"": _attribute("", given)})
    parts: dict[str, dict[str, Any]] = {"attributes": {}, "resourceAttributes": {}, "scope": {}}
    own: dict[str, Any] = {}
    for key, value in given.items():
        part, _, rest = key.partition(".")
        inner = {rest: value} if rest else parsed_json(value)
        if part in parts and isinstance(inner, Mapping):
            parts[part].update(inner)
        else:
            own[key] = _attribute(key, value)
    return Original(
        attributes=_attributes(parts["attributes"]),
        resource=_attributes(parts["resourceAttributes"]),
        scope=_scope(parts["scope"]),
        metadata=own,
    )


def _scope(given: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    inside = parsed_json(given.get("attributes"))
    below = {key.removeprefix("attributes."): value for key, value in given.items() if key.startswith("attributes.")}
    attributes = {**inside, **below} if isinstance(inside, Mapping) else below
    return str(given.get("name") or ""), str(given.get("version") or ""), _attributes(attributes)


def _attributes(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _attribute(name, value) for name, value in given.items()}


def _attribute(name: str, value: Any) -> Any:
    """The value of an attribute: Langfuse keeps numbers as text, and has parsed some text that is JSON."""
    if isinstance(value, str):
        return typed_value(name, value)
    return value if is_plain(value) else json_text(value)


__all__ = ["Original", "original_of"]
