"""Search for a text in messages and other content: the rules are the same for every source."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from otel_mas.model.message_text import lines_of, text_of, written
from otel_mas.model.trace import Message

_AROUND: Final = 60
"""Characters of a snippet before and after the text that was found."""
_CALLS: Final = "calls"
"""The word that stands before a tool call in a message's text, and nowhere in its JSON."""


@dataclass(frozen=True, slots=True)
class Match:
    """A message or another content that holds the text, where a trace has it first: at its writer, else at a reader.

    `where` is `output`, `input`, `state` (a value in a state) or `content`. `digest` is a message's or a value's,
    `name` another content's. `at_ns` is the end of the span that wrote it, or the start of the one that read or has it.
    """

    trace_id: str
    span_id: str
    where: str
    at_ns: int
    snippet: str
    digest: str | None = None
    name: str | None = None


class TextSearch:
    """A text that is looked for, in any case (`str.casefold`), wherever in a text it stands.

    Searched are texts as people read them: a message's parts, `calls name(arguments)` for a tool call, other content as
    it is or, where it is no text, as JSON and as lines of `name: value`.

    Raises:
        ValueError: the text is empty.
    """

    def __init__(self, text: str) -> None:
        if not text:
            raise ValueError("a search for nothing finds everything: give a text")
        self._text = text.casefold()
        # JSON writes quotes, backslashes and control characters in another way; some write all but ASCII so.
        words = re.findall(r"[a-z0-9]+", self._text) or re.findall(r"\w+", self._text)
        self._word = max(words, key=len, default="")

    def may_be_in(self, stored: bytes) -> bool:
        """Whether JSON or an OTLP message may hold the text: never False where it does."""
        folded = stored.decode("utf-8", "replace").casefold()
        if self._word in folded or "\\u" in folded:  # also letters that fold to ASCII: ß, ſ, ﬁ
            return True
        return self._word in _CALLS and "tool_call" in folded

    def in_message(self, message: Message) -> str | None:
        """The snippet of a message, or of a value of a state, that holds the text; None where it does not."""
        body = message.body
        if body is None:
            return None
        return self.in_content(body["value"]) if "value" in body else self._snippet([written(body)])

    def in_content(self, value: Any) -> str | None:
        """The snippet of another content that holds the text; None where it does not."""
        return self._snippet([text_of(value)] if isinstance(value, str) else [text_of(value), lines_of(value)])

    def _snippet(self, texts: Iterable[str]) -> str | None:
        for text in texts:
            folded = text.casefold()
            at = folded.find(self._text)
            if at < 0:
                continue
            if len(folded) != len(text):  # some letters fold to two
                text = folded
            start, end = max(0, at - _AROUND), at + len(self._text) + _AROUND
            middle = " ".join(text[start:end].split())
            return f"{'…' if start else ''}{middle}{'…' if end < len(text) else ''}"
        return None


__all__ = ["Match", "TextSearch"]
