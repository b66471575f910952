"""Secrets out of text and values, before anything is stored.

What is taken for a secret: any value under a key that says so (`password`, `api_key`, `accessToken`, ...), in a
mapping, in JSON inside a string, in `key=value` text, headers, command lines and lists of pairs; and, wherever they
stand, bearer and basic credentials, API keys with a known prefix, JSON web tokens, PEM blocks and passwords in URLs.

A scan looks for fixed words first, since `str.find` is a hundred times faster than an alternation of patterns, and
tries the patterns only where a word was found. Where in doubt it takes away too much rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

import orjson

REDACTED = "[redacted]"

_MAX_DEPTH = 100
_TOO_DEEP = "[redacted: nested too deep]"


def _after(words: str) -> str:
    """A look-behind for one of the words, with or without a separator between it and what follows."""
    return "(?:" + "|".join(f"(?<={word})|(?<={word}[-_. ])" for word in words.split()) + ")"


# Each starts with the word that the scan finds, so that it can be tried at that very place.
_SECRET_WORDS = {
    "pass": r"pass(?:word|wd|phrase|code|[-_]?key)|(?<![a-z])pass(?![a-z])",
    "pwd": r"pwd",
    "secret": r"secret(?!ar|ion)",
    "credential": r"credential",
    "auth": r"authori[sz]ation|(?<![a-z])auth(?![a-z])",
    "cookie": r"cookie",
    "jwt": r"jwt",
    "bearer": r"bearer",
    "connection": r"connection[-_ ]?string",
    "signature": r"(?<=[?&-])signature(?==)",
    "key": _after(
        "api access private encryption decryption signing auth account subscription master ssh session shared "
        "service deploy webhook license license admin client app root user"
    )
    + r"keys?(?![a-z])",
    "token": _after("access refresh auth api bearer security session csrf xsrf id user bot") + r"tokens?(?!ize|is)"
    r"|token(?!s|i[sz]|[-_ ]?(?:count|usage|limit|budget|type|ids?\b|index|detail|length|logprob|ur[il]|endpoint))",
}
_IS_SECRET = re.compile("|".join(f"(?:{pattern})" for pattern in _SECRET_WORDS.values()), re.IGNORECASE)

_VALUE = r"""
  (?:[bru]{0,2}(?P<esc>\\*)(?P<quote>\"{3}|'{3}|["'`])
       (?P<quoted>.*?)(?=(?<!\\)(?P=esc)(?P=quote)|\Z)
   | (?!(?:true|false|null|none|nil|undefined)(?:[\s,;)\]}"'&<]|\Z))
     (?P<bare> -----BEGIN\ .*?(?:-----END[^-]*-----|\Z)
       | (?:(?:bearer|basic|digest|token|apikey)(?:\s|\\[nrt])+)?
         (?:\[[^\]]*\]?|\{[^}]*\}?)?
         (?:[^\s"'`&<>]*[^\s"'`&<>,;)\]}\\])?
     )
  )"""
_PAIR = r"[\w.\-]{0,40}\\*[\"'`]?[\])]?\s*(?:=>|:=|->|[:=>]|%3[Dd])\s*" + _VALUE
_LINE = r"[\w.\-]{0,40}\s*+:\s*+(?!\\*[\"'`\[])(?P<bare>digest\s[^\r\n]+|[^\r\n\"'`]+)"
_FLAGS = re.IGNORECASE | re.DOTALL | re.VERBOSE

_OPTION_BEFORE = re.compile(r"(?:\A|[\s\"'\[,])--?[\w-]*\Z")
_OPTION = re.compile(r"[\w-]{0,40}[\"']?[\s,]+[\"']?(?P<bare>[^\s\"']+)")
_NUMBERED = r"[-_](?:[a-z]{2,8}[-_]){0,3}(?=[A-Za-z]*\d)[A-Za-z0-9]{16,}"


def _verbatim(pattern: str) -> str:
    """A pattern in which blanks mean themselves, for use inside a verbose one."""
    return pattern.replace(" ", r"\ ")


_WORDS = {word: (re.compile(f"(?:{_verbatim(pattern)}){_PAIR}", _FLAGS)) for word, pattern in _SECRET_WORDS.items()}
_LINES = {word: re.compile(f"(?:{_SECRET_WORDS[word]}){_LINE}", re.IGNORECASE) for word in ("auth", "cookie")}
_GENERIC = re.compile(rf"(?<![A-Za-z0-9])(?P<bare>(?:key|token|secret){_NUMBERED})")

# Shapes that are secret wherever they stand, by the literal they begin with (in lower case).
_SHAPES = {
    "bearer": re.compile(r"bearer(?:\s|\\[nrt]|%20|\+)+(?P<bare>[\w.~+/=-]{8,})", re.IGNORECASE),
    "basic": re.compile(r"basic\s+(?P<bare>(?=[a-z+/]*[0-9=+/])[a-z0-9+/]{8,}={0,2})", re.IGNORECASE),
    "://": re.compile(
        r"://[^\s/?#@:\"'\[]*:(?!\d{1,5}(?:[/?#\s]|\Z))(?P<bare>[^\s/?#\"'<>]{1,512}(?=@)|[^\s\"'<>]{1,512}?(?=@))"
    ),
    "-----begin": re.compile(
        r"(?P<bare>-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z))", re.DOTALL | re.IGNORECASE
    ),
    "eyj": re.compile(r"(?P<bare>eyJ[\w-]{5,2048}+\.[\w-]{4,}(?:\.[\w-]*)*)"),
    "sk-": re.compile(r"(?<![A-Za-z0-9])(?P<bare>sk-(?:(?=[A-Za-z_-]*\d)[\w-]{8,}|[\w-]{16,}))"),
    "akia": re.compile(r"(?P<bare>AKIA[0-9A-Z]{12,})"),
    "asia": re.compile(r"(?P<bare>ASIA[0-9A-Z]{16,})"),
    "gh": re.compile(r"(?P<bare>gh[pousr]_\w{10,})"),
    "github_pat_": re.compile(r"(?P<bare>github_pat_\w{10,})"),
    "xox": re.compile(r"(?P<bare>xox[a-z]-[\w-]{8,})"),
    "aiza": re.compile(r"(?P<bare>AIza[\w-]{20,})"),
    "ya29.": re.compile(r"(?P<bare>ya29\.[\w-]{16,})"),
    "sg.": re.compile(r"(?<![A-Za-z0-9])(?P<bare>SG\.[\w-]{16,}\.[\w-]{16,})"),
}
_PREFIXES = re.findall(
    r"\S+",
    "sk_live_ sk_test_ pk_live_ rk_live_ rk_test_ whsec_ glpat- xapp- hf_ gsk_ lsv2_ npm_ pypi- r8_ tvly- xai- "
    "pplx- nvapi- dop_v1_ shpat_ dckr_pat_ key-",
)
_PREFIXED = {prefix: re.compile(rf"(?<![A-Za-z0-9])(?P<bare>{re.escape(prefix)}[\w-]{{12,}})") for prefix in _PREFIXES}

_TRIED: dict[str, tuple[re.Pattern[str], ...]] = {}
for _word, _pattern in [*_LINES.items(), *_WORDS.items(), *_SHAPES.items(), *_PREFIXED.items()]:
    _TRIED[_word] = (*_TRIED.get(_word, ()), _pattern)
for _word in ("key", "token", "secret"):
    _TRIED[_word] = (*_TRIED[_word], _GENERIC)
_SHORTEST = 6


def redact_text(text: str) -> str:
    """The text with every secret replaced by `[redacted]`; idempotent. JSON text is redacted as what it says."""
    if len(text) < _SHORTEST:
        return text
    return _text(text, 0)


def redact_value(value: Any) -> Any:
    """A JSON-able copy of a value without its secrets: those in strings, in keys, and those under secret-like keys.

    What is not JSON-able becomes its redacted `repr`, so that nothing is serialised later that was not looked at.
    """
    return _value(value, 0, ())


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether what stands under this key is a secret whatever it looks like."""
    return _IS_SECRET.search(key) is not None


def _text(text: str, depth: int) -> str:
    if text[0] in "{[ \n" and depth < _MAX_DEPTH:
        parsed = _json(text)
        if parsed is not None:
            clean = _value(parsed, depth + 1, ())
            return text if clean == parsed else orjson.dumps(clean).decode()
    for _ in range(4):  # what is left after a cut can, rarely, read as something new
        before, text = text, _scan(text)
        if text == before:
            break
    return text


def _json(text: str) -> Any:
    start, end = text.lstrip()[:1], text.rstrip()[-1:]
    if (start, end) not in (("{", "}"), ("[", "]")):
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def _scan(text: str) -> str:
    lower = text.lower()
    if len(lower) != len(text):  # a few characters are two in lower case: keep the places
        lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    found: list[tuple[int, str]] = []
    for word in _TRIED:
        place = lower.find(word)
        while place >= 0:
            found.append((place, word))
            place = lower.find(word, place + 1)
    if not found:
        return text
    found.sort()
    pieces: list[str] = []
    done = 0
    for place, word in found:
        if place < done:
            continue
        cut = _secret_at(text, place, word)
        if cut is not None:
            pieces += text[done : cut[0]], REDACTED
            done = cut[1]
    return "".join((*pieces, text[done:])) if pieces else text


def _secret_at(text: str, place: int, word: str) -> tuple[int, int] | None:
    for pattern in _TRIED[word]:
        match = pattern.match(text, place)
        if match is not None:
            groups = match.groupdict()
            name = "quoted" if groups.get("quoted") is not None else "bare"
            if match.start(name) < match.end(name):
                return match.span(name)
    if (
        word in _WORDS
        and "-" in text[max(0, place - 60) : place]
        and _OPTION_BEFORE.search(text, max(0, place - 60), place)
    ):
        match = _OPTION.match(text, place)
        if match is not None:
            return match.span("bare")
    return None


def _value(value: Any, depth: int, inside: tuple[int, ...]) -> Any:
    kind = type(value)
    if kind is str:
        return _text(value, depth) if len(value) >= _SHORTEST else value
    if value is None or kind is bool or kind is int or kind is float:
        return value
    if depth >= _MAX_DEPTH:
        return _TOO_DEEP
    if isinstance(value, Mapping):
        return "[cycle]" if id(value) in inside else _mapping(value, depth + 1, (*inside, id(value)))
    if isinstance(value, list | tuple | Set):
        return "[cycle]" if id(value) in inside else _sequence(value, depth + 1, (*inside, id(value)))
    if isinstance(value, str):
        return _text(str(value), depth) if value else ""
    if isinstance(value, bytes | bytearray):
        return _scan(bytes(value).decode("utf-8", "replace"))
    return _scan(repr(value))


def _mapping(value: Mapping[Any, Any], depth: int, inside: tuple[int, ...]) -> dict[Any, Any]:
    named = _names_a_secret(value)
    clean: dict[Any, Any] = {}
    for key, item in value.items():
        secret = (isinstance(key, str) and is_secret_key(key)) or (named and key in _VALUE_KEYS)
        name = _value(key, depth, inside) if key is None or isinstance(key, str | int | float) else _scan(repr(key))
        if name in clean:  # two keys that were secrets themselves
            name = f"{name} {len(clean)}"
        clean[name] = _hidden(item) if secret else _value(item, depth, inside)
    return clean


# Not a text that says something, and so not what is left of one after its secrets are cut out.
_NAME = re.compile(r"[\w .:/$-]{1,59}")


def _names_secret(text: str) -> bool:
    """Whether a text in the place of a name is one, of something secret."""
    return _NAME.fullmatch(text) is not None and is_secret_key(text)


_NAME_KEYS = ("name", "key", "header", "field")
_VALUE_KEYS = frozenset({"value", "values", "content", "data"})


def _names_a_secret(value: Mapping[Any, Any]) -> bool:
    """Whether it is an entry such as `{"name": "password", "value": ...}`."""
    return any(isinstance(name := value.get(key), str) and _names_secret(name) for key in _NAME_KEYS)


def _sequence(value: Any, depth: int, inside: tuple[int, ...]) -> list[Any]:
    items = list(value)
    if len(items) == 2 and isinstance(items[0], str) and _names_secret(items[0]):
        return [_value(items[0], depth, inside), _hidden(items[1])]  # a header, as a pair
    clean = [_value(item, depth, inside) for item in items]
    for place in range(1, len(items)):
        option = items[place - 1]
        if isinstance(option, str) and option.startswith("-") and "=" not in option and is_secret_key(option):
            clean[place] = _hidden(items[place])  # a command line, as a list
    return clean


def _hidden(value: Any) -> Any:
    """The stand-in for a secret. That there is none, or which of two, is not a secret."""
    return value if value is None or isinstance(value, bool) or value in ("", REDACTED) else REDACTED
