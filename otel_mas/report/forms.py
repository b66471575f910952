"""JSON documents from objects whose attributes have the names of their fields."""

from __future__ import annotations

from typing import Any, TypeVar, cast

F = TypeVar("F")


def form_of(form: type[F], source: object, **computed: Any) -> F:
    """A JSON document (a TypedDict): its fields are computed, or attributes of the same names."""
    names = form.__annotations__
    return cast(F, {name: computed[name] if name in computed else getattr(source, name) for name in names})
