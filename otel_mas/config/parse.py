"""Text from the environment → values. The ValueError of each function names what it takes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]i?b|b)?", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_UNITS |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([dh])?", re.IGNORECASE)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*s?", re.IGNORECASE)
_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdSMHD]?)", re.ASCII)
_TIME_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_LEVELS = {"OFF": 0, "NONE": 0, "DEBUG": 10, "INFO": 20, "WARNING": 30, "WARN": 30, "ERROR": 40, "CRITICAL": 50}
_DESTINATION = re.compile(r"[a-z][a-z0-9_-]*(:|$)")
_NAMESPACE = re.compile(r"[a-zA-Z][a-zA-Z0-9]*(_[a-zA-Z0-9]+)*|")
_KEY = re.compile(r"[0-9a-fA-F]{64}")


def boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError("true or false")


def not_disabled(text: str) -> bool:
    """OpenTelemetry's own rule for its switches: `true` in any case is true, everything else is false."""
    return text.lower() != "true"


def texts(text: str) -> tuple[str, ...]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("a JSON array of texts")
    return tuple(found)


def checked_texts(given: Sequence[str]) -> tuple[str, ...]:
    """The same texts."""
    if not all(isinstance(one, str) for one in given):
        raise ValueError("a JSON array of texts")
    return tuple(given)


def integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("a whole number") from None


def count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError("a whole number, at least 1")
    return int(text)


def seconds(text: str) -> float:
    found = _SECONDS.fullmatch(text)
    if found is None:
        raise ValueError("seconds, like 5 or 0.5s")
    return float(found[1])


def positive_seconds(text: str) -> float:
    """Seconds, where 0 would mean never."""
    found = _SECONDS.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ValueError("seconds, like 5 or 0.5s; more than 0")
    return float(found[1])


def duration(text: str) -> float:
    """Seconds, from a duration in any unit up to days."""
    found = _TIME.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ValueError("seconds, like 90, or minutes, hours or days, like 30m, 12h or 2d; more than 0")
    return float(found[1]) * _TIME_UNITS[(found[2] or "s").lower()]


def days(text: str) -> float:
    found = _AGE.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ValueError("days, like 30, or hours, like 12h; more than 0")
    return float(found[1]) / (24 if found[2] in ("h", "H") else 1)


def size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    number = 0
    if found is not None:
        unit = _UNITS[(found[2] or "b").lower()]
        number = int(float(found[1]) * unit) if "." in found[1] else int(found[1]) * unit
    if number < 1:
        raise ValueError("a size in bytes, like 512MiB or 1GB; more than 0")
    return number


def digest_key(text: str) -> bytes:
    if _KEY.fullmatch(text) is None:
        raise ValueError("64 hexadecimal digits")
    return bytes.fromhex(text)


def headers(text: str) -> tuple[tuple[str, str], ...]:
    """As OTEL_EXPORTER_OTLP_HEADERS has it: `name=value,name=value`, the values URL-encoded; names in lower case."""
    from urllib.parse import unquote  # rarely needed, and config is read in every process

    found = []
    for item in filter(None, map(str.strip, text.split(","))):
        name, equals, value = item.partition("=")
        name, value = unquote(name).strip().lower(), unquote(value).strip()
        if not equals or _HEADER.fullmatch(name) is None or not value.isprintable():
            raise ValueError("name=value pairs separated by commas, the values URL-encoded")
        found.append((name, value))
    return tuple(found)


def destinations(text: str) -> tuple[str, ...]:
    """Names with what follows their colon: `otlp`, `file:/tmp/spans.jsonl`."""
    found = tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    if found in (("off",), ("none",)):
        return ()
    if not found or any(_DESTINATION.match(item) is None for item in found):
        raise ValueError("off, or destinations with commas between: otlp, otlp:http://host:4318, file:/path.jsonl")
    return found


def log_level(text: str) -> int:
    """A level of `logging` by name or number; 0 is off."""
    given = text.strip().upper()
    level = _LEVELS.get(given, int(given) if given.isdecimal() else -1)
    if not 0 <= level <= 100:
        raise ValueError("off, debug, info, warning, error, critical, or a number from 1 to 100")
    return level


def severity_number(level: int) -> int:
    """A level of `logging` as a severity number of OpenTelemetry's log data model: 1 to 24."""
    tens, rest = divmod(max(0, min(level, 59)), 10)
    return 4 * tens + 1 + min(3, rest // 3)


def path(text: str) -> str:
    """An absolute path, since an app may change its working directory. The store tells of one that no file can have."""
    if not text:
        raise ValueError("a path of the file system")
    return os.path.abspath(os.path.expanduser(text))


def metric_namespace(text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise ValueError("letters, digits and single _ between them, a letter first, such as shop")
    return text


def choice(*choices: str) -> Callable[[str], str]:
    """A parser for one of `choices`, in any case."""
    by_folded = {choice.casefold(): choice for choice in choices}

    def parse(text: str) -> str:
        found = by_folded.get(text.casefold())
        if found is None:
            raise ValueError("one of " + ", ".join(choices))
        return found

    return parse
