"""Requests of calls, in a canonical form that the recording and a replay share, and their digests.

Both sides are compared in three forms, the strictest first: as they are; redacted, since the store has no secrets;
and with volatile parts (ids, dates, addresses in memory) normalised. Ids of tool calls count as their order in all of
them: providers make up new ones each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson

from otel_mas.config import Settings
from otel_mas.instrumentation.langchain.messages import MESSAGES
from otel_mas.privacy.plain_values import cut_texts
from otel_mas.privacy.stored import Privacy
from otel_mas.record import to_json, without_media

_MAX_TEXT: Final = 1 << 20  # as content is cut when it is stored
_CALLS: Final = ("tool_call", "tool_call_response")
_SHOWN: Final = 60  # characters around a difference
_MOST_SHOWN: Final = 3  # differences
_HEX: Final = "[0-9a-fA-F]"


class Form(IntEnum):
    """How closely two requests are compared."""

    AS_IT_IS = 0
    REDACTED = 1
    NORMALISED = 2


class Rule(NamedTuple):
    """A volatile part of texts: every match counts as the same."""

    name: str
    pattern: re.Pattern[str]

    @property
    def replacement(self) -> str:
        return f"<{self.name}>"


RULES: Final = tuple(
    Rule(name, re.compile(pattern))
    for name, pattern in (
        ("uuid", rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"),
        ("id", r"\b(?:call|toolu|chatcmpl|msg|resp|run|lc_run|fc|rs)[-_][A-Za-z0-9_-]{8,}\b"),
        ("id", rf"\b(?=[0-9a-f]*\d)(?=\d*[a-f]){_HEX}{{16,64}}\b"),
        ("address", rf"\b0x{_HEX}{{6,16}}\b"),
        ("time", r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?"),
        ("time", r"\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AaPp][Mm])?\b"),
        ("time", r"\b1[5-9]\d{8}(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?\b"),
        (
            "time",
            r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:\d{1,2} )?"
            r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
            r"(?: \d{1,2},?)? \d{4}\b",
        ),
    )
)
"""The volatile parts that are normalised; `OTEL_MAS_REPLAY_VOLATILE` adds more."""


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Redaction and normalisation, the same for both sides.

    Args:
        privacy: redacts, as recording does.
        rules: the volatile parts.
    """

    privacy: Privacy
    rules: tuple[Rule, ...] = RULES

    @classmethod
    def of(cls, settings: Settings) -> Normaliser:
        """The normaliser that the settings ask for. It redacts also what was recorded in full."""
        privacy = Privacy.of(settings)
        privacy.content = "redacted"
        own = tuple(Rule("volatile", re.compile(pattern)) for pattern in settings.replay_volatile)
        return cls(privacy, (*own, *RULES))

    def form(self, name: str, value: Any, form: Form, tool: str = "") -> Any:
        """A plain value in a form."""
        if form >= Form.REDACTED:
            value = self.privacy.value(name, value, tool=tool)
        return self._normalised(value) if form >= Form.NORMALISED else value

    def _normalised(self, value: Any) -> Any:
        if isinstance(value, str):
            for rule in self.rules:
                value = rule.pattern.sub(rule.replacement, value)
            return value
        if isinstance(value, Mapping):
            return {self._normalised(key): self._normalised(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._normalised(item) for item in value]
        return value


class MessageForm(NamedTuple):
    """Digest of a message, and the ids of tool calls in it, which count by their order in the request."""

    digest: bytes
    """Digest of 16 bytes."""
    ids: tuple[str, ...]

    @classmethod
    def of(cls, data: bytes, ids: tuple[str, ...] = ()) -> MessageForm:
        """The form of a message that is these bytes."""
        return cls(blake2b(data, digest_size=16).digest(), ids)


def role_and_parts(message: Any) -> tuple[str, list[Any]]:
    """Role and parts of one of the framework's messages, as the store has them."""
    role, parts = MESSAGES.read(message)
    return role, list(map(without_media, parts))


def message_form(role: str, parts: Sequence[Mapping[str, Any]], form: Form, normaliser: Normaliser) -> MessageForm:
    """The form of one message."""
    if form is Form.AS_IT_IS and len(parts) == 1 and parts[0].get("type") == "text":
        text = parts[0].get("content")
        if type(text) is str and len(text) <= _MAX_TEXT:  # most messages: in a tenth of the time
            return MessageForm.of(b"%s\0%s" % (role.encode(errors="replace"), text.encode(errors="replace")))
    value, ids = _plain_message(role, parts)
    return MessageForm.of(canonical(normaliser.form("message", value, form)), ids)


def _plain_message(role: str, parts: Sequence[Mapping[str, Any]]) -> tuple[Any, tuple[str, ...]]:
    """A message without the ids of tool calls, and these."""
    ids: list[str] = []
    plain = []
    for part in parts:
        if part.get("type") in _CALLS:
            ids.append(str(part.get("id")))
            part = {name: value for name, value in part.items() if name != "id"}
        plain.append(part)
    return cut_texts({"role": role, "parts": plain}, _MAX_TEXT), tuple(ids)


def canonical(value: Any) -> bytes:
    """Sorted JSON of a plain value: numbers that are equal are the same, what is None is absent."""
    return orjson.dumps(_plain(orjson.loads(to_json(value))), option=orjson.OPT_SORT_KEYS)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return list(map(_plain, value)) if isinstance(value, list) else value


@dataclass(slots=True, eq=False)
class Request:
    """Request to a model, tool or retriever.

    Args:
        head: all but the messages, by name: model, parameters and tools; or arguments; or the query.
        messages: role and parts of each.
        normaliser: of both sides.
        tool: the tool's name, for rules of redaction by path.
        known: forms of messages that are known already, as they are.
    """

    head: dict[str, Any]
    messages: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
    normaliser: Normaliser
    tool: str = ""
    known: Sequence[MessageForm] | None = None
    keys: Sequence[str] = ()
    """Keys by which `cache` has the messages' forms; none of messages that no other request has."""
    cache: dict[tuple[str, Form], MessageForm] = field(default_factory=dict)
    _digests: dict[Form, bytes] = field(default_factory=dict)

    def digest(self, form: Form) -> bytes:
        """The digest of a form; two requests are the same in it exactly if theirs are."""
        found = self._digests.get(form)
        if found is None:
            found = self._digests[form] = self._digest(form)
        return found

    def _digest(self, form: Form) -> bytes:
        as_is = form is Form.AS_IT_IS
        parts = [self._head(form)]
        numbers: dict[str, int] = {}
        forms: Iterable[MessageForm] = self.known if as_is and self.known is not None else self._forms(form)
        for one in forms:
            parts.append(one.digest)
            if one.ids:  # few messages have any
                parts.extend(b"#%d" % numbers.setdefault(identity, len(numbers)) for identity in one.ids)
        return blake2b(b"".join(parts), digest_size=16).digest()

    def _head(self, form: Form) -> bytes:
        return canonical(
            {name: self.normaliser.form(name, value, form, self.tool) for name, value in self.head.items()}
        )

    def _forms(self, form: Form) -> Iterator[MessageForm]:
        for number in range(len(self.messages)):
            key = (self.keys[number], form) if self.keys else None
            known = self.cache.get(key) if key is not None else None
            if known is None:
                known = message_form(*self.messages[number], form, self.normaliser)
                if key is not None:
                    self.cache[key] = known
            yield known

    def flat(self) -> dict[str, Any]:
        """Every value by its path, normalised: to show a difference."""
        found: dict[str, Any] = {}
        _flatten("", orjson.loads(self._head(Form.NORMALISED)), found)
        for number, (role, parts) in enumerate(self.messages, 1):
            value = self.normaliser.form("message", _plain_message(role, parts)[0], Form.NORMALISED)
            _flatten(f"message {number} ({role})", orjson.loads(canonical(value)).get("parts"), found)
        return found


def difference(now: Request, recorded: Request) -> str:
    """The first differences between two requests, in words."""
    ours, theirs = now.flat(), recorded.flat()
    paths = [path for path in {**theirs, **ours} if ours.get(path, theirs) != theirs.get(path, ours)]
    shown = [f"{path}: {_difference_at(ours.get(path), theirs.get(path))}" for path in paths[:_MOST_SHOWN]]
    more = f"; and {len(paths) - _MOST_SHOWN} more" if len(paths) > _MOST_SHOWN else ""
    return "; ".join(shown) + more or "none but in their order or number"


def likeness(now: Mapping[str, Any], recorded: Mapping[str, Any]) -> float:
    """How much two requests have in common, from 0 to 1: values at the same paths, texts by their equal beginning."""
    paths = now.keys() | recorded.keys()
    return sum(_alike(now.get(path), recorded.get(path)) for path in paths) / len(paths) if paths else 1.0


def _alike(one: Any, other: Any) -> float:
    if one == other:
        return 1.0
    if isinstance(one, str) and isinstance(other, str) and one and other:
        same = next(
            (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
        )
        return same / max(len(one), len(other))
    return 0.0


def _difference_at(now: Any, recorded: Any) -> str:
    if now is None:
        return f"recorded {_shortened(recorded, 0)}, now nothing"
    if recorded is None:
        return f"recorded nothing, now {_shortened(now, 0)}"
    at = 0
    if isinstance(now, str) and isinstance(recorded, str):
        at = next(
            (i for i, (a, b) in enumerate(zip(now, recorded, strict=False)) if a != b), min(len(now), len(recorded))
        )
    return f"recorded {_shortened(recorded, at)}, now {_shortened(now, at)}"


def _shortened(value: Any, at: int) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    begin = max(0, at - _SHOWN // 3)
    cut = text[begin : begin + _SHOWN]
    return repr(f"{'…' if begin else ''}{cut}{'…' if begin + _SHOWN < len(text) else ''}")


def _flatten(path: str, value: Any, found: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            _flatten(f"{path}.{key}" if path else str(key), item, found)
    elif isinstance(value, list) and value:
        for number, item in enumerate(value):
            _flatten(f"{path}[{number}]" if len(value) > 1 or not path.startswith("message") else path, item, found)
    else:
        found[path] = value


__all__ = [
    "RULES",
    "Form",
    "MessageForm",
    "Normaliser",
    "Request",
    "Rule",
    "canonical",
    "difference",
    "likeness",
    "message_form",
    "role_and_parts",
]
