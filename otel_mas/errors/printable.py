"""Foreign text that people read: on one line, of bounded length, without characters that a terminal would act on."""

from __future__ import annotations

import re

# Control characters (C0, DEL, C1), separators of lines, bidirectional controls, invisible characters (not the joiners,
# which scripts and emoji need), lone surrogates, tags.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def printable(line: str) -> str:
    """Replace each unprintable character by a space: the line keeps its length."""
    return line if line.isascii() and line.isprintable() else _UNPRINTABLE.sub(" ", line)


def shortened(text: str, most: int) -> str:
    """Text of at most so many characters, with … where there was more."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def one_line(text: str, most: int = 200) -> str:
    """The text on one line, shortened; by default to what is quoted of a server's message."""
    return shortened(" ".join(text.split()), most)


def printable_json(document: str) -> str:
    """Escape each unprintable character of a JSON document but its line breaks: it keeps its meaning."""
    return "\n".join(_UNPRINTABLE.sub(_escape, line) for line in document.split("\n"))


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
