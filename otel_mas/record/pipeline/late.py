"""What a hook cannot say without waiting: the writer's thread says it, before the span is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.attributes import BoundedAttributes

_NOTHING: Mapping[str, Any] = {}

_Work = Callable[[], Mapping[str, Any]]


class Late(str):
    """The value of an attribute until the attributes that replace it are known. Who reads it sooner sees the text."""

    __slots__ = ("work",)
    work: _Work

    @classmethod
    def of(cls, text: str, work: _Work) -> Late:
        """`work` may wait; it returns what to say instead."""
        late = cls(text)
        late.work = work
        return late


def add(span: Any, found: Mapping[str, Any]) -> None:
    """Add attributes to an ended span, as if it had ended with them. Other readers see all of them or none."""
    said = getattr(span, "said", None)
    attributes = span._attributes if said is None or span.touched else said
    _replace(span, {**(attributes or {}), **found}, attributes)


def settle(span: Any, name: str) -> None:
    """Replace an ended span's attribute `name` if it is late. Other readers of the span see all of it or nothing."""
    said = getattr(span, "said", None)
    attributes = span._attributes if said is None or span.touched else said
    late = getattr(attributes, "_dict", attributes or _NOTHING).get(name)  # the SDK's own `get` costs as much as a span
    if type(late) is not Late:
        return
    settled = {**attributes, **late.work()}
    if settled[name] is late:
        del settled[name]
    _replace(span, settled, attributes)


def _replace(span: Any, attributes: dict[str, Any], before: Any) -> None:
    ours = hasattr(span, "said")
    if ours:
        span.said = attributes
    if not ours or span.touched:
        span._attributes = BoundedAttributes(getattr(before, "maxlen", None), attributes)


__all__ = ["Late", "add", "settle"]
