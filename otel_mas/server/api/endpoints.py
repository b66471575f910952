"""Endpoints made of functions: the signature has the parameters, the return type the form, the docstring the words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from otel_mas.api.filters import FILTERS
from otel_mas.server.api.errors import BadRequest

_MOST_CHARACTERS = 4_000
"""Length of a parameter: nothing that is recorded has a longer name."""


@dataclass(frozen=True)
class Parameter:
    """A query parameter. `many`: it may be given several times."""

    name: str
    type: Any
    meaning: str
    default: Any = None
    required: bool = False
    many: bool = False

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.type)

    def parsed(self, values: list[str]) -> Any:
        """The value of this parameter. Raises `BadRequest` where it has another type."""
        if len(values) > 1 and not self.many:
            raise BadRequest(f"{self.name} is given {len(values)} times: give it once")
        if any(len(value) > _MOST_CHARACTERS for value in values):
            raise BadRequest(f"{self.name} is longer than {_MOST_CHARACTERS:,} characters")
        if any("\0" in value for value in values):
            raise BadRequest(f"{self.name} has a NUL character: leave it out")
        try:
            return self.adapter.validate_python(values if self.many else values[0])
        except ValidationError as error:
            raise BadRequest(f"{self.name} is {values[0]!r}: {error.errors()[0]['msg'].lower()}") from None


@dataclass(frozen=True)
class Endpoint:
    """A path below /api/v1, and the function that answers it.

    Args:
        path: with names of text in braces, which are arguments of the function.
        answer: gets what the path is about (a run, or all that is served) and the parameters.
    """

    path: str
    answer: Callable[..., Any]
    method: str = "get"
    more: tuple[Parameter, ...] = ()
    """Parameters that find what it is about."""
    body: Any = None
    """Form of the JSON that is posted; the function gets it as `body`."""

    @cached_property
    def form(self) -> Any:
        """The type of its document."""
        return get_type_hints(self.answer, include_extras=True)["return"]

    @property
    def meaning(self) -> str:
        """Description of its answer."""
        return inspect.getdoc(self.answer) or ""

    @property
    def names_in_path(self) -> tuple[str, ...]:
        return tuple(part[1:-1].partition(":")[0] for part in self.path.split("/") if part.startswith("{"))

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The query parameters, by name."""
        return {one.name: one for one in (*self._parameters(), *self.more)}

    def _parameters(self) -> Iterator[Parameter]:
        hints = get_type_hints(self.answer, include_extras=True)
        _, *given = inspect.signature(self.answer).parameters.values()
        for one in given:
            if one.kind is inspect.Parameter.VAR_KEYWORD:
                yield from _FILTERS
            elif one.name not in (*self.names_in_path, "body"):
                yield _parameter(one, hints[one.name])

    def arguments(self, path: Mapping[str, str], query: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Keyword arguments of the function.

        Raises:
            BadRequest: There is no such parameter, one is missing, or of another type.
        """
        given: dict[str, list[str]] = {}
        for name, value in query:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise BadRequest(f"no parameter is called {name[:80]!r}: there are {known}")
            given.setdefault(name, []).append(value)
        missing = [one.name for one in self.parameters.values() if one.required and one.name not in given]
        if missing:
            raise BadRequest(f"{missing[0]} is missing: {self.parameters[missing[0]].meaning}")
        found = {name: self.parameters[name].parsed(values) for name, values in given.items()}
        if "attribute" in found:
            found["attribute"] = _attributes(found["attribute"])
        return {**found, **{name: path[name] for name in self.names_in_path if name in path}}


def _parameter(one: inspect.Parameter, hint: Any) -> Parameter:
    kind, meaning = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, "")
    required = one.default is inspect.Parameter.empty
    return Parameter(one.name, kind, meaning, None if required else one.default, required, get_origin(kind) is list)


_FILTERS = tuple(
    Parameter(name, list[str], "With this attribute, as KEY=VALUE; several times for several.", (), many=True)
    if name == "attribute"
    else Parameter(name, str | None, meaning)
    for name, (_, meaning) in FILTERS.items()
)


def _attributes(given: list[str]) -> dict[str, str]:
    pairs = [one.partition("=") for one in given]
    for name, equals, _ in pairs:
        if not name or not equals:
            raise BadRequest(f"attribute is {name!r}: write KEY=VALUE")
    return {name: value for name, _, value in pairs}


__all__ = ["Endpoint", "Parameter"]
