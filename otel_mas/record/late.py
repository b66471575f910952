"""What a hook cannot say without waiting: the writer's thread says it, before the span is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.attributes import BoundedAttributes

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


def settle(span: Any, name: str) -> None:
    """Replace an ended span's attribute `name` if it is late. Other readers of the span see all of it or nothing."""
    said = getattr(span, "said", None)
    attributes = span._attributes if said is None or span.touched else said
    late = attributes.get(name) if attributes else None
    if type(late) is not Late:
        return
    settled = {**attributes, **late.work()}
    if settled[name] is late:
        del settled[name]
    if said is not None:
        span.said = settled
    if said is None or span.touched:
        span._attributes = BoundedAttributes(getattr(attributes, "maxlen", None), settled)


__all__ = ["Late", "settle"]
