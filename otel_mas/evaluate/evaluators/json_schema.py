"""Evaluator of the final output as JSON, against a JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import orjson

from otel_mas.errors import ConfigError, MissingExtra
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.evaluate.evaluators.output import nothing, quoted

_MOST_PROBLEMS = 3


@dataclass(frozen=True)
class JsonSchema:
    """Passes where the output is JSON that a schema allows.

    Args:
        schema: a JSON schema, of the draft that its `$schema` names, else 2020-12. Formats are not checked,
            and a `$ref` to another document is not fetched.
        channel: this channel of the final state instead of the output.
    """

    schema: Mapping[str, Any]
    channel: str | None = None

    def __post_init__(self) -> None:
        jsonschema = _jsonschema()
        try:
            jsonschema.validators.validator_for(self.schema, jsonschema.Draft202012Validator).check_schema(self.schema)
        except jsonschema.SchemaError as error:
            raise ConfigError(f"json_schema: it is no JSON schema: {error.message}") from None

    def evaluate(self, context: RunContext) -> EvaluationReason:
        if context.without_output is not None:
            return nothing(context)
        value = context.output if self.channel is None else context.channel(self.channel)
        if isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError as error:
                return EvaluationReason(False, f"the output is no JSON ({error}): {quoted(value)}")
        jsonschema = _jsonschema()
        kind = jsonschema.validators.validator_for(self.schema, jsonschema.Draft202012Validator)
        # An empty registry, since the default one would fetch a `$ref` to another document over the network.
        validator = kind(self.schema, registry=import_module("referencing").Registry())
        found = [f"{one.json_path}: {one.message}" for one in validator.iter_errors(value)]
        more = f"; and {len(found) - _MOST_PROBLEMS} more" if len(found) > _MOST_PROBLEMS else ""
        return EvaluationReason(not found, "; ".join(found[:_MOST_PROBLEMS]) + more)


def _jsonschema() -> Any:
    try:
        return import_module("jsonschema")
    except ImportError:
        raise MissingExtra("json_schema needs the package jsonschema: pip install 'otel-mas[evaluate]'") from None


__all__ = ["JsonSchema"]
