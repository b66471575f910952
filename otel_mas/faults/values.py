"""Changes that faults make to values: corrupted, contradicted, cut, emptied. Pure: originals stay as they are.

Each function returns the changed copy, or the value itself (the same object) where there is nothing to change.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Collection
from dataclasses import is_dataclass, replace
from random import Random
from typing import Any, Final

from otel_mas.model.opposites import OPPOSITES

_MAX_DEPTH: Final = 8
_CORRUPTED_PART: Final = 0.3  # of the letters and digits of a text
_ALL_OPPOSITES: Final = (
    *OPPOSITES,
    ("increased", "decreased"),
    ("rise", "fall"),
    ("up", "down"),
    ("for", "against"),
    ("go", "no-go"),
    ("open", "closed"),
    ("should", "should not"),
)
_OPPOSITE: Final = {a: b for pair in _ALL_OPPOSITES for a, b in (pair, pair[::-1])}
_VERDICT: Final = re.compile(
    rf"\b(?<!-)({'|'.join(sorted(map(re.escape, _OPPOSITE), key=len, reverse=True))})\b", re.IGNORECASE
)
_WEAK: Final = frozenset({"for", "up", "down", "go", "open", "no", "fall"})
"""Words that are a verdict only where they stand alone, or where a colon or an equals sign introduces them."""
_NUMBER: Final = re.compile(r"(?<![\w.,-])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w-]|[.,]\d)")
_DATE: Final = re.compile(r"\b(\d{4})(-\d{2}-\d{2})\b")
_NONSENSE: Final = (
    "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>",
    '{"status": "ok", "data": {"items": [{"id": 0, "val',
    "Þ\u0003\u0000ÿýÿÿ��¿½ï¿½\u0000\u0000",
    "lorem ipsum dolor sit amet consectetur adipiscing elit",
    "[object Object]",
)
GAVE_UP: Final = (
    "I could not complete this task.",
    "I'm sorry, but I was unable to find an answer.",
    "I could not do this with what I have; please try again later.",
)


def changed_inside(value: Any, change: Callable[[Any], Any], depth: int = 0) -> Any:
    """Change texts, numbers and truth values wherever they are in a value: messages, dicts, lists, objects."""
    if depth > _MAX_DEPTH:
        return value
    if isinstance(value, str | bool | int | float):
        return change(value)

    def inside(item: Any) -> Any:
        return changed_inside(item, change, depth + 1)

    if isinstance(value, dict):
        parts = _text_parts(value)
        items = {key: inside(item) if key in parts else item for key, item in value.items()}
        return items if any(items[key] is not value[key] for key in items) else value
    if type(value) in (list, tuple, set, frozenset):
        found = [inside(item) for item in value]
        return type(value)(found) if any(new is not old for new, old in zip(found, value, strict=True)) else value
    if is_message(value):
        content = inside(value.content)
        return value if content is value.content else value.model_copy(update={"content": content})
    fields = fields_of(value)
    if not fields:
        return value
    updated = {name: new for name, old in fields.items() if (new := inside(old)) is not old}
    return with_fields(value, updated) if updated else value


def _text_parts(value: dict[Any, Any]) -> Collection[Any]:
    """The keys under which a dict has content: of a message or a part of one, not its role, type or id."""
    if isinstance(value.get("role"), str) and "content" in value:
        return ("content",)
    if isinstance(value.get("type"), str) and "text" in value:
        return ("text",)
    return value.keys()


def is_message(value: Any) -> bool:
    """Whether it is a message of LangChain's, by its shape."""
    return hasattr(value, "content") and hasattr(value, "response_metadata") and hasattr(value, "model_copy")


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a pydantic model or a dataclass; nothing for other objects."""
    if hasattr(type(value), "model_fields"):
        return {name: getattr(value, name) for name in type(value).model_fields if hasattr(value, name)}
    if is_dataclass(value) and not isinstance(value, type):
        return {name: getattr(value, name) for name in value.__dataclass_fields__ if hasattr(value, name)}
    return {}


def with_fields(value: Any, updated: dict[str, Any]) -> Any:
    """A copy of a pydantic model or a dataclass with other fields."""
    return value.model_copy(update=updated) if hasattr(value, "model_copy") else replace(value, **updated)


def corrupted(value: Any, random: Random) -> Any:
    """Change letters into letters and digits into digits, at random places; flip truth values."""

    def change(one: Any) -> Any:
        if isinstance(one, bool):
            return not one
        if isinstance(one, int | float):
            return _other_number(one, random)
        return _corrupted_text(one, random)

    return changed_inside(value, change)


def _corrupted_text(text: str, random: Random) -> str:
    places = [place for place, char in enumerate(text) if char.isascii() and char.isalnum()]
    if not places:
        return text
    hit = set(random.sample(places, max(1, round(len(places) * _CORRUPTED_PART))))
    digits = [place for place in places if text[place].isdigit()]
    if digits:  # a text whose numbers arrive is hardly corrupted
        hit.add(random.choice(digits))
    return "".join(_other(char, random) if place in hit else char for place, char in enumerate(text))


def _other(char: str, random: Random) -> str:
    kinds = (string.digits, string.ascii_lowercase, string.ascii_uppercase)
    alike = next(kind for kind in kinds if char in kind)
    return random.choice(alike.replace(char, ""))


def _other_number(number: float, random: Random) -> float:
    if number != number or number in (float("inf"), float("-inf")):
        return number
    factor = random.randint(2, 9)
    if isinstance(number, int):
        return number * factor + random.randint(1, 9)
    return number * factor + random.random()


def contradicted(value: Any, random: Random) -> Any:
    """Turn each truth value, verdict and number into another one: yes into no, 40 into 400 or 4."""
    up = random.random() < 0.5

    def change(one: Any) -> Any:
        if isinstance(one, bool):
            return not one
        if isinstance(one, int | float):
            return _scaled(one, up)
        return _contradicted_text(one, up)

    return changed_inside(value, change)


def _contradicted_text(text: str, up: bool) -> str:
    def opposite(match: re.Match[str]) -> str:
        word = match[0]
        if word.lower() in _WEAK and not _stands_out(text, match):
            return word
        other = _OPPOSITE[word.lower()]
        return other.upper() if word.isupper() and len(word) > 1 else other.capitalize() if word[0].isupper() else other

    def other_number(match: re.Match[str]) -> str:
        whole = int(match[1].replace(",", ""))
        if match[2]:
            return f"{_scaled(float(f'{whole}{match[2]}'), up):g}"
        scaled = _scaled(whole, up)
        return f"{scaled:,}" if "," in match[1] else str(scaled)

    def other_date(match: re.Match[str]) -> str:
        return f"{int(match[1]) + (10 if up else -10):04d}{match[2]}"

    found = _DATE.sub(other_date, _NUMBER.sub(other_number, _VERDICT.sub(opposite, text)))
    return text if found == text else found


def _stands_out(text: str, match: re.Match[str]) -> bool:
    return not text[: match.start()].rstrip() or text[: match.start()].rstrip()[-1] in ":=\"'*"


def _scaled(number: float, up: bool) -> float:
    if number == 0:
        return type(number)(1)
    if isinstance(number, int):
        return number * 10 if up or abs(number) < 10 or number % 10 else number // 10
    return number * 10 if up else number / 10


def cut(text: str, keep: float) -> str:
    """The first part of a text."""
    return text[: int(len(text) * keep)]


def emptied(value: Any) -> Any:
    """The empty value of a result's type; None where it has none."""
    return type(value)() if type(value) in (str, list, dict, tuple, set) else None


def nonsense(random: Random) -> str:
    """A text that is no answer: an error page, half of some JSON, binary, filler."""
    return random.choice(_NONSENSE)


def gave_up(random: Random) -> str:
    """The words of an agent that gives up."""
    return random.choice(GAVE_UP)


def answer_of_giving_up(value: Any, text: str) -> Any:
    """An answer's place taken by a text: of messages the last answer says it, other texts are it, all else is None.

    A message keeps who it is from, and calls no tools.
    """
    if isinstance(value, list) and value and all(map(is_message, value)):
        answers = (place for place, one in enumerate(value) if one.type == "ai" and not one.tool_calls)
        last = max(answers, default=len(value) - 1)
        return [*value[:last], answer_of_giving_up(value[last], text), *value[last + 1 :]]
    if is_message(value):
        update: dict[str, Any] = {"content": text}
        if getattr(value, "tool_calls", None):
            update["tool_calls"] = []
        return value.model_copy(update=update)
    return changed_inside(value, lambda one: text if isinstance(one, str) else None)


__all__ = [
    "GAVE_UP",
    "answer_of_giving_up",
    "changed_inside",
    "contradicted",
    "corrupted",
    "cut",
    "emptied",
    "fields_of",
    "gave_up",
    "is_message",
    "nonsense",
    "with_fields",
]
