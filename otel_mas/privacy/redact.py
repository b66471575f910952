"""Redaction of secrets in text and values, before anything is stored.

A secret is a value under a name of secrets (`secret_names`): in a mapping, in JSON inside a string, or in any usual
form of a pair in text (`secret_text`). A token is one anywhere, by its shape (`token_shapes`). In doubt too much is
redacted rather than too little.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence, Set
from typing import Any, Final

import orjson

from otel_mas.privacy.secret_names import is_doubtful_key, is_secret_key, looks_secret, plain
from otel_mas.privacy.secret_text import Found, Pause, find

REDACTED: Final = "[redacted]"

_MAX_DEPTH = 100
_TOO_DEEP = "[redacted: nested too deep]"
_MIN_CHARS = 6
_KEYS = (str, bytes, bytearray, enum.Enum, tuple, frozenset)  # of others the `repr` is no name
_NAME_KEYS: tuple[str, ...] = (
    "name",
    "key",
    "header",
    "field",
    "id",
    "variable",
    "param",
    "parameter",
    "property",
    "label",
    "k",
)
_NAME_KEYS += tuple(map(str.capitalize, _NAME_KEYS))
_VALUE_KEYS = frozenset({"value", "values", "content", "data", "default", "text", "val", "current", "v"})
_VALUE_KEYS |= frozenset(map(str.capitalize, _VALUE_KEYS))
# A name, rather than a text whose secrets were cut out.
_NAME = re.compile(r"[\w .:/$-]{1,59}")
_USER_OPTIONS = ("-u", "--user", "--proxy-user")
_USER_PASSWORD = re.compile(r"(?![/\d])[^\s:/]{1,64}:\S+")


class Redactor:
    """Replaces secrets, and counts them by rule.

    Args:
        patterns: further secrets: the group `secret` of each match, or all of it.
        keys: further names under which every value is secret, as whole words: `iban` is in `customer_iban`.
    """

    def __init__(self, patterns: Sequence[re.Pattern[str]] = (), keys: Sequence[str] = ()) -> None:
        self.counts: dict[str, int] = {}
        self.pause: Pause | None = None
        """Called every few milliseconds of long work; an exception that it raises ends the work."""
        self._patterns = [(f"pattern-{number}", pattern) for number, pattern in enumerate(patterns, 1)]
        self._keys: re.Pattern[str] | None = None
        if keys:
            words = "|".join(re.escape(key) for key in keys)
            name = rf"(?:(?<![^\W_])(?i:{words})|(?<=[a-z0-9])(?=[A-Z])(?i:{words}))(?![a-z])"
            self._keys = re.compile(name)
            self._patterns.append(
                (
                    "key",
                    re.compile(
                        rf"{name}[\w.\-]{{0,40}}\\*[\"'`*]{{0,3}}\s*(?:=>|[:=|]|%3[Dd])\s*[*]{{0,2}}\s*"
                        rf"(?:(?P<quote>[\"'`])(?P<quoted>[^\"'`\n]*)(?P=quote)|(?P<secret>[^\s\"'`&,;|<>)\]}}]+))"
                    ),
                )
            )

    def text(self, text: str) -> str:
        """The text with every secret replaced by `[redacted]`; idempotent. JSON text is redacted as its value."""
        return text if len(text) < _MIN_CHARS else self._text(text, 0)

    def value(self, value: Any) -> Any:
        """A JSON-able copy of a value without its secrets: those in strings, in keys, and those under secret-like keys.

        Other values become their redacted `repr`, so that nothing is serialised later without redaction.
        """
        return self._value(value, 0, ())

    def under(self, name: str, value: Any) -> Any:
        """The redacted value of this name: all of it is hidden where the name is one of secrets."""
        return self.hidden(value) if self.hides(name, value) else self._value(value, 0, ())

    def names_secret(self, name: str) -> bool:
        """Tell whether a value may be secret because of its name."""
        return is_secret_key(name) or is_doubtful_key(name) or self._is_own_key(name)

    def drain_counts(self) -> dict[str, int]:
        """Return the number of secrets replaced since the last call, by rule."""
        counts, self.counts = self.counts, {}
        return counts

    def _is_own_key(self, name: str) -> bool:
        return self._keys is not None and self._keys.search(plain(name)[0]) is not None

    def hides(self, name: str, value: Any) -> bool:
        """Tell whether this value is secret because of its name."""
        if is_secret_key(name) or self._is_own_key(name):
            return True
        return looks_secret(value) and is_doubtful_key(name)

    def _count(self, rule: str) -> None:
        self.counts[rule] = self.counts.get(rule, 0) + 1

    def _text(self, text: str, depth: int) -> str:
        if text[0] in "{[ \n" and depth < _MAX_DEPTH:
            parsed = _json(text)
            if parsed is not None:
                clean = self._value(parsed, depth + 1, ())
                return text if clean == parsed else orjson.dumps(clean).decode()
        for _ in range(4):  # what is left after a cut can, rarely, read as something new
            before, text = text, self._scan(text)
            if text == before:
                break
        return text

    def _scan(self, text: str) -> str:
        if self.pause is not None:
            self.pause()
        found = find(text, self.pause)
        if self._patterns:
            found = sorted([*found, *self._matches(text)])
        pieces: list[str] = []
        done = 0
        for start, end, rule in found:
            if end <= done:
                continue
            if start < done:  # goes on where the last one ended
                start = done
            elif text[start:end] != REDACTED:
                self._count(rule)
            if start > done or not pieces:
                pieces.append(text[done:start])
                pieces.append(REDACTED)
            done = end
        return "".join((*pieces, text[done:])) if pieces else text

    def _matches(self, text: str) -> list[Found]:
        found: list[Found] = []
        for rule, pattern in self._patterns:
            for match in pattern.finditer(text):
                groups = match.re.groupindex
                group = next((name for name in ("secret", "quoted") if name in groups and match[name] is not None), 0)
                start, end = match.span(group)
                if start < end and REDACTED not in text[start:end] and text[start:end] not in REDACTED:
                    found.append((start, end, rule))
        return found

    def _value(self, value: Any, depth: int, inside: tuple[int, ...]) -> Any:
        kind = type(value)
        if kind is str:
            return self._text(value, depth) if len(value) >= _MIN_CHARS else value
        if value is None or kind is bool or kind is int or kind is float:
            return value
        if depth >= _MAX_DEPTH:
            return _TOO_DEEP
        if isinstance(value, Mapping):
            return "[cycle]" if id(value) in inside else self._mapping(value, depth + 1, (*inside, id(value)))
        if isinstance(value, list | tuple | Set):
            return "[cycle]" if id(value) in inside else self._sequence(value, depth + 1, (*inside, id(value)))
        if isinstance(value, str):
            return self._text(str(value), depth) if value else ""
        if isinstance(value, bytes | bytearray):
            return self._scan(bytes(value).decode("utf-8", "replace"))
        return self._scan(repr(value))

    def _mapping(self, value: Mapping[Any, Any], depth: int, inside: tuple[int, ...]) -> dict[Any, Any]:
        named = self._names_a_secret(value)
        clean: dict[Any, Any] = {}
        for key, item in value.items():
            name: Any = key
            secret = False
            if key is not None and not isinstance(key, int | float):
                text = key if isinstance(key, str) else key_text(key)
                if isinstance(key, _KEYS):
                    secret = self.hides(text, item) or (named and text in _VALUE_KEYS)
                name = self._value(text, depth, inside)
            if name in clean:  # two keys that were secrets themselves
                name = f"{name} {len(clean)}"
            clean[name] = self.hidden(item) if secret else self._value(item, depth, inside)
        return clean

    def _names_a_secret(self, value: Mapping[Any, Any]) -> bool:
        """Whether it is an entry such as `{"name": "password", "value": ...}`."""
        return any(isinstance(name := value.get(key), str) and self._is_name(name) for key in _NAME_KEYS)

    def _is_name(self, text: str) -> bool:
        """Whether a text in the place of a name is one, of something secret."""
        return _NAME.fullmatch(text) is not None and (is_secret_key(text) or self._is_own_key(text))

    def _sequence(self, value: Any, depth: int, inside: tuple[int, ...]) -> list[Any]:
        items = list(value)
        if len(items) == 2 and isinstance(items[0], str) and self._is_name(items[0]):
            return [self._value(items[0], depth, inside), self.hidden(items[1])]  # a header, as a pair
        clean = [self._value(item, depth, inside) for item in items]
        for place in range(1, len(items)):
            option, item = items[place - 1], items[place]
            if not isinstance(option, str) or option[:1] != "-" or "=" in option:
                continue
            if is_secret_key(option):  # a command line, as a list
                clean[place] = self.hidden(item)
            elif option in _USER_OPTIONS and isinstance(item, str) and _USER_PASSWORD.fullmatch(item):
                user, _, password = item.partition(":")
                clean[place] = f"{user}:{self.hidden(password)}"
        return clean

    def hidden(self, value: Any) -> Any:
        """The stand-in for a secret. That there is none, or which of two, is not a secret."""
        if value is None or isinstance(value, bool) or value in ("", REDACTED):
            return value
        self._count("name")
        return REDACTED


def key_text(key: object) -> str:
    """A mapping's key as text, for its name to be looked at; calls no code of the app's for what JSON and OTLP know."""
    kind = type(key)
    if kind is str:
        return str(key)
    if isinstance(key, bytes | bytearray):
        return bytes(key).decode("utf-8", "replace")
    if isinstance(key, enum.Enum):
        inner = key._value_
        return str(inner) if type(inner) is str else key._name_
    if kind is tuple or kind is frozenset:
        return f"({', '.join(key_text(part) for part in key)})"  # type: ignore[attr-defined]
    return repr(key)


def _json(text: str) -> Any:
    start, end = text.lstrip()[:1], text.rstrip()[-1:]
    if (start, end) not in (("{", "}"), ("[", "]")):
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        return None


_default = Redactor()


def redact_text(text: str) -> str:
    """Redact text by the built-in rules."""
    return _default.text(text)


__all__ = ["REDACTED", "Pause", "Redactor", "is_secret_key", "key_text", "redact_text"]
