"""Results of tools that are no data: error pages, stack traces, binary, filler, JSON that breaks off."""

from __future__ import annotations

import re
from typing import Any

import orjson

_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!doctype html[^>]*>\s*)?<html\b", re.IGNORECASE)
_ERROR_PAGE = re.compile(
    r"<(?:title|h1)[^>]*>\s*(?:(?:error|http)\s*)?((?:[45]\d\d\W{1,3})?(?:Bad Request|Unauthorized|Forbidden|Not Found|"
    r"Too Many Requests|Internal Server Error|Bad Gateway|Service (?:Temporarily )?Unavailable|Gateway Time-?out))",
    re.IGNORECASE,
)
_TRACEBACK = re.compile(r"\s*(?:Traceback \(most recent call last\):|Exception in thread \"|panic: .*\n+goroutine \d)")
_OBJECT = re.compile(r"\s*\[object [A-Z]\w*\]\s*")
_FILLER = re.compile(r"\s*lorem ipsum\b", re.IGNORECASE)
_BINARY = re.compile(r"\x00|[\x01-\x08\x0e-\x1a\x1c-\x1f\ufffd].*[\x01-\x08\x0e-\x1a\x1c-\x1f\ufffd]", re.DOTALL)
_JSON = re.compile(r"\s*(?:\{\s*\"|\[\s*[\[{\"])")
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|["{}\[\]]', re.DOTALL)
_SHORTENED = re.compile(r"truncated|omitted|shortened|cut by|\u2026|\.\.\.", re.IGNORECASE)
"""Words of those who cut on purpose, and say so."""
_START = 2_000
_LONGEST = 200_000
_END = 100
"""Characters that are looked at: of the start, of JSON, of its end for words that say that it was cut."""


def malformed(value: Any) -> str | None:
    """Words for a result that is no data; None for any other."""
    text = _text(value)
    start = text[:_START]
    if _HTML.match(start):
        page = _ERROR_PAGE.search(start)
        return None if page is None else f"an error page ({page[1]})"
    if _TRACEBACK.match(start):
        return "a stack trace"
    if _OBJECT.fullmatch(start):
        return f"{start.strip()} instead of the object"
    if _FILLER.match(start):
        return "filler text"
    if _BINARY.search(start):
        return "binary data"
    return "JSON that breaks off" if _breaks_off(text) else None


def _text(value: Any) -> str:
    """The result as text; of a list of blocks, as MCP has it, the only one's."""
    if isinstance(value, list | tuple) and len(value) == 1:
        value = value[0].get("text") if isinstance(value[0], dict) and value[0].get("type") == "text" else value
    return value if isinstance(value, str) else ""


def _breaks_off(text: str) -> bool:
    """Whether it is the beginning of a JSON document: a bracket or a string is still open at its end."""
    if len(text) > _LONGEST or not _JSON.match(text) or _SHORTENED.search(text[-_END:]):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        depth = 0
        for token in _TOKENS.findall(text):
            if token == '"':
                return True
            depth += (token in "{[") - (token in "}]")
        return depth > 0
    return False


__all__ = ["malformed"]
