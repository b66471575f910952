"""Suites: cases in a YAML or JSON file. All problems of one are named at once, by line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from otel_mas.errors import ConfigError, MissingExtra, arguments
from otel_mas.errors.similar import did_you_mean
from otel_mas.evaluate.case import EvaluationCase

if TYPE_CHECKING:
    import yaml
    from pydantic_core import ErrorDetails

_DEEPEST = 100


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
        try:
            text = file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise ConfigError(f"{file} is no suite: it is not text in UTF-8") from None
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror or error}") from None
        return cls._parsed(text, file)

    @classmethod
    def _parsed(cls, text: str, file: Path) -> Self:
        tree, document = _loaded(text, file)
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
            problems = sorted({_problem(_written(one["loc"], document), _message(one), tree) for one in error.errors()})
            raise ConfigError(*(f"{file}:{line}: {text}" for line, text in problems)) from None


def _loaded(text: str, file: Path) -> tuple[yaml.Node, Any]:
    """The tree of the file, which knows lines, and its value."""
    try:
        import yaml
    except ImportError:
        raise MissingExtra("suites are YAML, which needs PyYAML: pip install 'otel-mas[evaluate]'") from None
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        if tree is None:
            raise ConfigError(f"{file} is empty: it needs `cases`")
        again = [f"{file}:{line}: {key!r} stands twice in the same mapping" for key, line in _repeated(tree)]
        if again:
            raise ConfigError(*again)
        return tree, yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(file)
        raise ConfigError(f"{where}: it is no YAML: {error.problem or error}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{file} is no YAML: {' '.join(str(error).split())}") from None


def _repeated(node: yaml.Node, deep: int = 0) -> Iterator[tuple[str, int]]:
    """Keys that stand twice in a mapping, of which YAML would take the last; with their lines."""
    import yaml

    children: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen and isinstance(key, yaml.ScalarNode):
                yield key.value, key.start_mark.line + 1
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
            children.append(value)
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    for child in children if deep < _DEEPEST else ():
        yield from _repeated(child, deep + 1)


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


def _problem(where: Sequence[int | str], message: str, tree: yaml.Node) -> tuple[int, str]:
    """The line of the place that pydantic names, or of the nearest one around it, and the problem."""
    line = tree.start_mark.line
    node: yaml.Node | None = tree
    for part in where:
        line_and_node = None if node is None else _child(node, part)
        if line_and_node is None:
            break
        line, node = line_and_node
    named = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
    return line + 1, f"{named + ': ' if named else ''}{message.removeprefix('Value error, ')}"


def _child(node: yaml.Node, part: int | str) -> tuple[int, yaml.Node] | None:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return next(((key.start_mark.line, value) for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        found = node.value[part]
        return found.start_mark.line, found
    return None


__all__ = ["Suite"]
