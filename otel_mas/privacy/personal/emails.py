"""E-mail addresses in a text, also with `@` as `%40` or `&#64;`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from otel_mas.privacy.personal.candidates import Finding, Pause, matches

_AT: Final = re.compile(r"@|%40|&#64;")
_MAX_LOCAL: Final = 64  # RFC 5321
_DOMAIN: Final = re.compile(r"[^\W_][\w-]{0,62}+(?:\.[^\W_][\w-]{0,62}+){1,6}+")
_TOP: Final = re.compile(r"[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}", re.IGNORECASE)
# Ends of file names and of code (`logo@2x.png`, `a@b.shape`) that are no domain.
_NO_TOPS: Final = (
    "bmp cfg css csv gif gz html ico ini jpeg jpg js json jsx lock log map md mjs pdf png py shape svg tar tgz toml ts "
    "tsx txt webp whl xml yaml yml"
)
_NO_TOP: Final = frozenset(_NO_TOPS.split())


def emails(text: str, pause: Pause | None) -> Iterator[Finding]:
    """Each address with a domain of two labels and more.

    Users in URLs (`ssh://git@host.example`) and git's remotes (`git@host.example:x`) are none.
    """
    for at in matches(_AT, text, pause):
        domain = _DOMAIN.match(text, at.end(), at.end() + 255)
        if domain is None:
            continue
        labels = domain[0].split(".")
        while len(labels) > 1 and not _is_top(labels[-1]):
            labels.pop()
        start = _local(text, at.start())
        local = text[start : at.start()]
        if len(labels) < 2 or not local or local == "git" or text[max(0, start - 2) : start] == "//":
            continue
        host = ".".join(labels)
        yield Finding(start, at.end() + len(host), "email", f"{local}@{host}".lower())


def _is_top(label: str) -> bool:
    return _TOP.fullmatch(label) is not None and label.lower() not in _NO_TOP


def _local(text: str, end: int) -> int:
    """The start of the local part that ends there."""
    first = max(0, end - _MAX_LOCAL)
    start = end
    if text[end - 1 : end] == '"':  # a quoted one
        quote = text.rfind('"', first, end - 1)
        return quote if quote >= 0 and "\n" not in text[quote:end] else end
    while start > first and (text[start - 1].isalnum() or text[start - 1] in "._+-'"):
        start -= 1
    while start < end and text[start] in ".-'":
        start += 1
    return start
