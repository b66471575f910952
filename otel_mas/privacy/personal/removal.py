"""Each value's way through the removal of personal data: rules by path, then finders, then the user's function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import orjson

from otel_mas.privacy.personal.candidates import Finding, Pause
from otel_mas.privacy.personal.finders import Finders
from otel_mas.privacy.personal.paths import Paths, tool_path
from otel_mas.semconv import attributes as names

REMOVED: Final = "[removed]"
_FAILED: Final = "[removed: the function failed]"
_TAG_BYTES: Final = 5
_PERSON: Final = b"otel-mas person"
_MAX_DEPTH: Final = 100  # as in redaction, which the values have been through
# Of messages, log records and source lines, what is no content.
_STRUCTURE: Final = frozenset(
    {
        *(f"message.{key}" for key in ("role", "parts.type", "parts.id", "parts.name")),
        *(f"{names.MAS_LOG_RECORDS}.{key}" for key in ("severity", "logger", "source", names.EXCEPTION_TYPE)),
        f"{names.MAS_ERROR_SOURCE}.file",
    }
)
_STRUCTURE_KEYS: Final = frozenset(path.rpartition(".")[2] for path in _STRUCTURE)
_LONG_NUMBER: Final = 10**8  # from which on a number may be an id, a phone number or a card

Function = Callable[[str, str], str | None]
"""Given a value's path and its text, returns the text to store, or None to remove it."""


class PersonalData:
    """Removes personal data from texts and values, for one thread.

    Each removal is counted, and marked in its place by its kind and a keyed digest of it: `[email:1f0c9a3b7d]`.

    Args:
        kinds: what is looked for, of `otel_mas.config.personal.KINDS`.
        regions: countries whose national phone numbers are looked for.
        remove: paths whose values are always removed.
        keep: paths that are never touched.
        function: sees each text of content after the finders. If it fails the text is removed.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        *,
        regions: Sequence[str] = (),
        remove: Sequence[str] = (),
        keep: Sequence[str] = (),
        function: Function | None = None,
    ) -> None:
        self.key = b""
        """Key of the digests in placeholders, 32 bytes. Without one, placeholders have none."""
        self.counts: dict[str, int] = {}
        self.pause: Pause | None = None
        """Called every few milliseconds of long work; an exception that it raises ends the work."""
        self._finders = Finders(kinds, regions)
        self._remove = Paths(remove)
        self._keep = Paths(keep)
        self._function = function

    def value(self, path: str, value: Any, tool: str = "") -> Any:
        """The value without personal data: a copy, or the same one where nothing was removed.

        Args:
            path: the name of the attribute or content.
            value: plain, as redaction leaves it: text, bytes, numbers, lists, mappings.
            tool: the tool whose arguments it is.
        """
        return self._value(value, path, tool_path(tool) if tool else "", "", 0)

    def structure(self, path: str, value: Any) -> Any:
        """As `value`, for names, ids and the like, which the function does not see."""
        function, self._function = self._function, None
        try:
            return self._value(value, path, "", "", 0)
        finally:
            self._function = function

    def drain_counts(self) -> dict[str, int]:
        """Return the number of removals since the last call, by kind."""
        counts, self.counts = self.counts, {}
        return counts

    def _value(self, value: Any, path: str, alias: str, name: str, depth: int) -> Any:
        """`alias` is the path by the tool, `name` the key that the value is under."""
        if value is None or isinstance(value, bool | float) or self._keep.has(path) or self._keep.has(alias):
            return value
        if self._remove.has(path) or self._remove.has(alias):
            self._count("path")
            return REMOVED
        if isinstance(value, str):
            return self._text(value, path, alias, name, depth)
        if isinstance(value, int):
            return value if abs(value) < _LONG_NUMBER else self._number(value, name or path)
        if depth >= _MAX_DEPTH:
            return value
        if isinstance(value, Mapping):
            return self._mapping(value, path, alias, depth + 1)
        if isinstance(value, list | tuple):
            items = [self._value(item, path, alias, name, depth + 1) for item in value]
            if all(new is old for new, old in zip(items, value, strict=True)):
                return value
            return items if isinstance(value, list) else tuple(items)
        return self._bytes(value, path, alias, name, depth) if isinstance(value, bytes) else value

    def _mapping(self, value: Mapping[Any, Any], path: str, alias: str, depth: int) -> Mapping[Any, Any]:
        tool = value.get("name") if value.get("type") == "tool_call" else None
        clean: dict[Any, Any] = {}
        same = True
        for key, item in value.items():
            step = str(key)
            below = tool_path(tool) if isinstance(tool, str) and key == "arguments" else alias and f"{alias}.{step}"
            new = self._value(item, f"{path}.{step}" if path else step, below, step, depth)
            shown = self._found(key, "") if isinstance(key, str) else key
            same = same and new is item and shown is key
            clean[shown if shown is key or shown not in clean else f"{shown} {len(clean)}"] = new
        return value if same else clean

    def _text(self, text: str, path: str, alias: str, name: str, depth: int) -> str:
        if text[:1] in "{[" and depth < _MAX_DEPTH:
            parsed = _json(text)
            if parsed is not None:
                clean = self._value(parsed, path, alias, name, depth + 1)
                return text if clean is parsed else orjson.dumps(clean).decode()
        text = self._found(text, name or path)
        if self._function is None or (name in _STRUCTURE_KEYS and path in _STRUCTURE):
            return text
        return self._by_function(self._function, path, text)

    def _found(self, text: str, name: str) -> str:
        """The text with each finding replaced."""
        findings = self._finders.find(text, name, self.pause)
        if not findings:
            return text
        pieces: list[str] = []
        done = 0
        for one in findings:
            pieces += (text[done : one.start], self._placeholder(one))
            done = one.end
            self._count(one.kind)
        return "".join((*pieces, text[done:]))

    def _number(self, value: int, name: str) -> Any:
        text = str(value)
        found = self._found(text, name)
        return value if found == text else found

    def _bytes(self, value: bytes, path: str, alias: str, name: str, depth: int) -> bytes:
        text = value.decode(errors="surrogateescape")
        clean = self._text(text, path, alias, name, depth)
        return value if clean == text else clean.encode(errors="surrogateescape")

    def _by_function(self, function: Function, path: str, text: str) -> str:
        try:
            found = function(path, text)
        except BaseException:  # SystemExit too: it would end the writer's thread
            self._count("function-error")
            return _FAILED
        if found is None:
            self._count("function")
            return REMOVED
        if not isinstance(found, str):
            self._count("function-error")
            return _FAILED
        if found != text:
            self._count("function")
        return str(found)

    def _placeholder(self, one: Finding) -> str:
        if not self.key:
            return f"[{one.kind}]"
        tag = blake2b(f"{one.kind}:{one.value}".encode(), digest_size=_TAG_BYTES, key=self.key, person=_PERSON)
        return f"[{one.kind}:{tag.hexdigest()}]"

    def _count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1


def _json(text: str) -> Any:
    if text.rstrip()[-1:] not in ("}", "]"):
        return None
    try:
        parsed = orjson.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict | list) else None


__all__ = ["REMOVED", "Function", "PersonalData"]
