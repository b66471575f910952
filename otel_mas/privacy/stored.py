"""Strip and redact spans and contents for the store, by content mode."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any, Final

from otel_mas.config import Content, Settings
from otel_mas.privacy.personal.removal import PersonalData
from otel_mas.privacy.plain_values import cut_texts, tagged
from otel_mas.privacy.policy import Rule, holds_text, rule
from otel_mas.privacy.redact import Pause, Redactor, key_text
from otel_mas.semconv import attributes as names

# Ids, digests and enum members: new ones on every span, and there is nothing to redact in those that we make.
_GENERATED: Final = frozenset(
    {
        names.GEN_AI_RESPONSE_ID,
        names.GEN_AI_TOOL_CALL_ID,
        names.MAS_CAUSE_KINDS,
        names.MAS_CAUSE_SPANS,
        names.MAS_CHECKPOINT_ID,
        names.MAS_CHECKPOINT_LAST_ID,
        names.MAS_ERROR_SPAN,
        names.MAS_INPUT_MESSAGES,
        names.MAS_INTERRUPT_IDS,
        names.MAS_LINK_KIND,
        names.MAS_OUTPUT_MESSAGES,
        names.MAS_RECORD_KIND,
        names.MAS_STATE_DIGESTS,
        names.MAS_TASK_ID,
    }
)
RANDOM_IDS: Final = _GENERATED - {names.MAS_CAUSE_KINDS, names.MAS_LINK_KIND, names.MAS_RECORD_KIND}
"""Attributes of ids and digests: their values seldom repeat."""
MAX_ID_CHARS: Final = 128
"""Characters: no id is longer."""
# Hexadecimal ids and what stands between them, or enum members; a NUL between the items of an array.
_PLAIN: Final = re.compile(r"[0-9a-f:|,\-\x00]*|[a-z_]{0,16}(?:\x00[a-z_]{0,16})*")
MAX_TEXT: Final = 1 << 18
"""Characters of an attribute, a name or a description that are redacted and stored: 0.5 s at worst. The rest is cut."""
_MAX_NAMES = 4096
_MAX_NAME = 4096  # characters of a name or a trace state; a longer text is cut


class _Treatment(enum.Enum):
    """How the values under a name are treated."""

    GENERATED = enum.auto()
    KNOWN = enum.auto()
    UNKNOWN = enum.auto()
    CONTENT = enum.auto()
    SECRET = enum.auto()


_WITHOUT_TEXT = frozenset({_Treatment.UNKNOWN, _Treatment.SECRET})

STRIPPED: Final = object()
"""Stands for a value that the content mode keeps out of the store."""


class Privacy:
    """The content mode, applied.

    `full` stores everything as it is, secrets included. `redacted` stores everything with secrets replaced. `none`
    stores no content: attributes that hold it are left out, also those of other instrumentation, as are status
    descriptions and text under unknown names (`otel_mas.privacy.policy`); the rest is redacted.

    Its methods raise what redaction raises: the caller then withholds the value.
    """

    __slots__ = ("_names", "_treatments", "content", "personal", "redactor")

    def __init__(
        self, content: Content, redactor: Redactor | None = None, personal: PersonalData | None = None
    ) -> None:
        self.content = content
        self.redactor = redactor or Redactor()
        self.personal = personal
        self._treatments: dict[str, _Treatment] = {}
        self._names: dict[str, str] = {}

    @classmethod
    def of(cls, settings: Settings) -> Privacy:
        """The treatment that settings ask for; without a key of its placeholders."""
        redactor = Redactor(list(map(re.compile, settings.redact_patterns)), settings.redact_keys)
        personal = None
        if settings.removes:
            personal = PersonalData(
                settings.personal_data,
                regions=settings.phone_regions,
                remove=settings.remove_paths,
                keep=settings.keep_paths,
                function=settings.redact_function,
            )
        return cls(settings.content or "none", redactor, personal)

    def pause_by(self, pause: Pause | None) -> None:
        """Call this every few milliseconds of long work; an exception that it raises ends the work."""
        self.redactor.pause = pause
        if self.personal is not None:
            self.personal.pause = pause

    def drain_counts(self) -> dict[str, int]:
        """Return the number of values taken out since the last call, by rule or kind."""
        counts = self.redactor.drain_counts()
        if self.personal is not None:
            for kind, count in self.personal.drain_counts().items():
                counts[kind] = counts.get(kind, 0) + count
        return counts

    def attribute(self, name: str, value: Any) -> Any:
        """The value to store under this name, or STRIPPED. Of numbers and booleans only the name matters."""
        if self.content == "full":
            return value
        treatment = self._treatments.get(name) or self._treatment(name)
        if treatment is _Treatment.GENERATED and _is_plain(value):
            return value
        if self.content == "none" and (
            treatment is _Treatment.CONTENT or (treatment in _WITHOUT_TEXT and holds_text(value))
        ):
            return STRIPPED
        if treatment is _Treatment.SECRET and self.redactor.hides(name, value):
            return self.redactor.hidden(value)
        if isinstance(value, str):
            value = self.redactor.text(cut_texts(value, MAX_TEXT))
        elif not isinstance(value, bool | int | float):
            value = self._without_secrets(cut_texts(value, MAX_TEXT))
        if self.personal is None:
            return value
        is_structure = treatment is _Treatment.KNOWN or treatment is _Treatment.GENERATED
        return self.personal.structure(name, value) if is_structure else self.personal.value(name, value)

    def _treatment(self, name: str) -> _Treatment:
        known = rule(name)
        if name in _GENERATED:
            treatment = _Treatment.GENERATED
        elif known is Rule.KEEP:
            treatment = _Treatment.KNOWN
        elif known is Rule.WITHHOLD and self.content == "none":
            treatment = _Treatment.CONTENT
        elif self.redactor.names_secret(name):
            treatment = _Treatment.SECRET
        else:
            treatment = _Treatment.CONTENT if known is Rule.WITHHOLD else _Treatment.UNKNOWN
        if len(self._treatments) >= _MAX_NAMES:
            self._treatments.clear()
        self._treatments[name] = treatment
        return treatment

    def name(self, name: str) -> str:
        """The name of an attribute as it may be stored. Two that differ in their secrets stay two."""
        known = self._names.get(name)
        if known is None:
            stored = self.text(name)
            if len(self._names) >= _MAX_NAMES:
                self._names.clear()
            if stored != name:
                others = sum(other.startswith(stored) for other in self._names.values())
                stored = f"{stored} {others + 1}" if others else stored
            known = self._names[name] = stored
        return known

    def forget_names(self) -> None:
        """Forget how names are stored: the key of placeholders has changed."""
        self._names.clear()

    def text(self, text: str) -> str:
        """A name of a span, an event or a scope, or a trace state, as it may be stored."""
        if self.content == "full":
            return text
        text = self.redactor.text(cut_texts(text, _MAX_NAME))
        return text if self.personal is None else str(self.personal.structure("", text))

    def description(self, text: str) -> str:
        """A status description, mostly an exception's message, as it may be stored."""
        if self.content == "none":
            return ""
        if self.content == "full":
            return text
        text = self.redactor.text(cut_texts(text, MAX_TEXT))
        return text if self.personal is None else str(self.personal.value("status.message", text))

    def value(self, name: str, value: Any, *, path: str = "", tool: str = "") -> Any:
        """The content of a span or a message, a snapshot that may be changed here, as it may be stored.

        Args:
            name: of the content.
            value: the snapshot.
            path: its path for rules, where that is another than the name.
            tool: the tool whose arguments it is.
        """
        if self.content == "full":
            return value
        value = self.redactor.under(name, self._tagged_bytes(value))
        return value if self.personal is None else self.personal.value(path or name, value, tool)

    def _without_secrets(self, value: Any) -> Any:
        """As `Redactor.value`, but what OTLP can hold stays of its type."""
        if isinstance(value, bytes):
            text = self._redacted_bytes(value)
            return value if text is None else text.encode()
        if isinstance(value, tuple | list) and any(isinstance(item, bytes | tuple | list | dict) for item in value):
            return [self._without_secrets(item) for item in value]
        if isinstance(value, Mapping) and any(isinstance(item, bytes | tuple | list | dict) for item in value.values()):
            return {key: self._item_without_secrets(key, item) for key, item in value.items()}
        return self.redactor.value(value)

    def _item_without_secrets(self, key: object, item: Any) -> Any:
        hides = self.redactor.hides(key_text(key), item)
        return self.redactor.hidden(item) if hides else self._without_secrets(item)

    def _redacted_bytes(self, value: bytes) -> str | None:
        """The text without its secrets; None where there are none."""
        text = value.decode(errors="replace")
        redacted = self.redactor.text(text)
        return None if redacted == text else redacted

    def _tagged_bytes(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._tagged_bytes(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._tagged_bytes(item) for item in value]
        if isinstance(value, bytes):
            text = self._redacted_bytes(value)
            return tagged(value) if text is None else text
        return value


def _is_plain(value: Any) -> bool:
    """Whether a value is an id or digest of ours, or several, in which no token or pair can be."""
    if type(value) is tuple:
        try:
            return _PLAIN.fullmatch("\0".join(value)) is not None
        except TypeError:
            return False
    return type(value) is str and len(value) <= MAX_ID_CHARS and _PLAIN.fullmatch(value) is not None


__all__ = ["MAX_ID_CHARS", "RANDOM_IDS", "STRIPPED", "Privacy"]
