"""Suites: cases in a YAML or JSON file. All problems of one are named at once, by line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from otel_mas.config.yaml_document import load_yaml, problem_at, read_document
from otel_mas.errors import ConfigError, arguments
from otel_mas.errors.similar import did_you_mean
from otel_mas.evaluate.case import EvaluationCase

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class Suite(BaseModel):
    """Cases that belong together.

    Args:
        name: a name for reports; by default that of the file.
        defaults: fields of the cases that do not say otherwise.
        cases: the cases, with different names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "suite"
    defaults: dict[str, Any] = {}
    cases: tuple[EvaluationCase, ...]

    @field_validator("cases")
    @classmethod
    def _different_names(cls, cases: tuple[EvaluationCase, ...]) -> tuple[EvaluationCase, ...]:
        if not cases:
            raise ValueError("there are none: give at least one")
        names = [case.name for case in cases]
        again = sorted({name for name in names if names.count(name) > 1})
        if again:
            raise ValueError(f"several cases are called {', '.join(again)}: give each a name of its own")
        return cases

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """The suite in a YAML or JSON file.

        Raises:
            ConfigError: The file cannot be read, or is no suite: each problem with its line.
            MissingExtra: PyYAML is not installed.
        """
        file = arguments.path("path", path)
        return cls._parsed(read_document(file, "is no suite"), file)

    @classmethod
    def _parsed(cls, text: str, file: Path) -> Self:
        tree, document = load_yaml(text, file, needs="`cases`", extra="evaluate")
        if not isinstance(document, dict):
            raise ConfigError(f"{file} is no suite: it must be a mapping with `cases`")
        document.setdefault("name", file.stem)
        defaults, cases = document.get("defaults"), document.get("cases")
        whole = dict(document)
        if isinstance(defaults, dict) and isinstance(cases, list):
            whole["cases"] = [{**defaults, **one} if isinstance(one, dict) else one for one in cases]
        try:
            return cls.model_validate(whole)
        except ValidationError as error:
            problems = sorted(
                {problem_at(_written(one["loc"], document), _message(one), tree) for one in error.errors()}
            )
            raise ConfigError(*(f"{file}:{line}: {text}" for line, text in problems)) from None


def _message(error: ErrorDetails) -> str:
    """The message of pydantic, or a clearer one for people who write YAML."""
    if error["type"] == "extra_forbidden":
        fields = (Suite if len(error["loc"]) == 1 else EvaluationCase).model_fields
        return f"there is no such field{did_you_mean(str(error['loc'][-1]), fields)}"
    clearer = {"tuple_type": "it must be a list", "dict_type": "it must be a mapping"}
    return clearer.get(error["type"], error["msg"])


def _written(where: tuple[int | str, ...], document: Mapping[str, Any]) -> tuple[int | str, ...]:
    """The place in the document of a field of a case, which may stand in `defaults`."""
    match where:
        case ("cases", int(number), str(field), *deeper):
            one, defaults = document["cases"][number], document.get("defaults")
            if isinstance(defaults, dict) and field in defaults and not (isinstance(one, dict) and field in one):
                return ("defaults", field, *deeper)
    return where


__all__ = ["Suite"]
