"""HTML and SVG elements whose text and attributes are always escaped: what is recorded may be hostile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

# What may not stand in a document at all, and what would turn the direction of the text around it.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_VOID = frozenset({"br", "circle", "hr", "line", "meta", "path", "rect"})


class Markup(str):
    """Text that is markup already. Only this module makes it."""

    __slots__ = ()


Child = str | Markup | None | Iterable["Child"]


def element(name: str, /, *children: Child, **attributes: object) -> Markup:
    """`<name ...>children</name>`: children are escaped unless they are elements.

    `class_` stands for class, `_` in other names for `-`; an attribute that is None or False is left out, one that is
    True has no value. Numbers are written with a decimal at most.
    """
    opened = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}"
    if name in _VOID and not children:
        return Markup(f"{opened}/>")
    return Markup(f"{opened}>{text(*children)}</{name}>")


def text(*children: Child) -> Markup:
    """The children one after the other, escaped unless they are elements."""
    return Markup("".join(map(_child, children)))


def trusted(written: str) -> Markup:
    """A style sheet or another text of our own, which holds nothing that was recorded."""
    return Markup(written)


def number(value: float) -> str:
    """A coordinate, to a tenth."""
    rounded = round(value, 1)
    return str(int(rounded)) if rounded == int(rounded) else str(rounded)


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(_NOT_TEXT.sub("\ufffd", child), quote=False)
    return "".join(map(_child, child))


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    phrase = number(value) if isinstance(value, float) else str(value)
    return f' {name}="{escape(_NOT_TEXT.sub(chr(0xFFFD), phrase))}"'
