"""Read the fields of app objects without running app code: no property, no method, not their `__class__`."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, Final

_MRO: Final = type.__dict__["__mro__"].__get__
_NAMESPACE: Final = type.__dict__["__dict__"].__get__
_NAME: Final = type.__dict__["__name__"].__get__
_MAX_TYPES: Final = 1024
_ARGUMENTS: Final = BaseException.__dict__["args"].__get__
_SIZED: Final = frozenset((str, list, tuple, dict))
_Read = Callable[[Any], Any]
_DICTS: dict[type, _Read] = {}  # how to get the `__dict__` of instances of a class


def field_of(value: Any, name: str) -> Any:
    """One item of a dict, or one field that another object keeps in its `__dict__` or a slot."""
    kind: Any = type(value)
    if issubclass(kind, dict):
        return dict.get(value, name)
    own_dict, slots = _layout(kind)
    if own_dict is not None:
        own = own_dict(value)
        if type(own) is dict and name in own:
            return own[name]
    slot = slots.get(name)
    if slot is None:
        return None
    try:
        return slot(value)
    except AttributeError:  # not set
        return None


def instance_dict(value: Any) -> dict[str, Any]:
    """The `__dict__` of an object, itself; an empty one where there is none."""
    read = _DICTS.get(type(value))
    if read is None:
        kind: Any = type(value)
        if len(_DICTS) >= _MAX_TYPES:
            _DICTS.clear()
        read = _DICTS[kind] = _layout(kind)[0] or _no_dict
    own = read(value)
    return own if type(own) is dict else {}


def _no_dict(value: Any) -> None:
    return None


def own_fields(value: Any) -> dict[str, Any]:
    """All fields that an object keeps in its `__dict__` and its slots."""
    kind: Any = type(value)
    found: dict[str, Any] = {}
    own_dict, slots = _layout(kind)
    for name, slot in slots.items():
        try:
            found[name] = slot(value)
        except AttributeError:  # not set
            pass
    own = own_dict(value) if own_dict is not None else None
    return found | own if type(own) is dict else found


def items_of(value: Any) -> list[Any] | None:
    """The items of a list or tuple, as a list of our own; None for anything else."""
    kind = type(value)
    if issubclass(kind, list):
        return list(list.__iter__(value))
    return list(tuple.__iter__(value)) if issubclass(kind, tuple) else None


def text_of(value: Any) -> str | None:
    """The text that a string is, of a subclass as well; None for anything else."""
    kind = type(value)
    if kind is str:
        return str(value)
    return str.__str__(value) if issubclass(kind, str) else None


def arguments_of(exc: BaseException) -> tuple[Any, ...]:
    """Return the arguments that an exception was made with."""
    return tuple(_ARGUMENTS(exc))


def is_empty(value: Any) -> bool:
    """Whether it is None, or an empty value of a built-in type."""
    return value is None or (type(value) in _SIZED and not value)


def declared(kind: type, name: str) -> Any:
    """An attribute as declared by a class or a base class, not computed by a descriptor."""
    return next((space[name] for base in _MRO(kind) if name in (space := _NAMESPACE(base))), None)


def is_a(value: object, name: str) -> bool:
    """Whether the class of an object or a base class has this name; a framework's own class is not ours to import."""
    return any(_NAME(kind) == name for kind in _MRO(type(value)))


@lru_cache(maxsize=_MAX_TYPES)
def _layout(kind: type) -> tuple[_Read | None, dict[str, _Read]]:
    """Return readers of the `__dict__` and the slots of instances of a class."""
    own_dict: _Read | None = None
    slots: dict[str, _Read] = {}
    for base in reversed(_MRO(kind)):
        for name, member in _NAMESPACE(base).items():
            if name == "__dict__" and type(member) in (GetSetDescriptorType, MemberDescriptorType):
                own_dict = member.__get__
            elif type(member) is MemberDescriptorType:
                slots[name] = member.__get__
    return own_dict, slots


__all__ = [
    "arguments_of",
    "declared",
    "field_of",
    "instance_dict",
    "is_a",
    "is_empty",
    "items_of",
    "own_fields",
    "text_of",
]
