"""Names of secrets: of keys, of attributes, and before `=` or `:` in text."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache


def _after(words: str) -> str:
    """A look-behind for one of the words, with or without a separator between it and what follows."""
    found = words.split()
    joined = "|".join(f"(?<={word})" for word in found), "|".join(f"(?<={word}[-_. ])" for word in found)
    return f"(?:(?<=[a-z0-9])(?:{joined[0]})|(?<=[a-z0-9][-_. ])(?:{joined[1]}))"


def _word(word: str) -> str:
    """A word of its own, as in `DB_PASS`, `db.pass`, `pass2` and `dbPass`, not as in `passenger`."""
    return rf"(?<![a-z]){word}(?![a-z])|(?-i:(?<=[a-z0-9]){word.capitalize()}(?![a-z]))"


# Every value under these names is secret. Each pattern begins with its key, and is tried where that is found.
SECRET: dict[str, str] = {
    "pass": rf"pass(?:word|wort|wd|phrase|code|[-_ ]?key)|{_word('pass')}|{_after('motde de')}passe(?![a-z])",
    "pwd": r"pwd",
    "pw": _word("pw"),
    "psw": r"pswd|" + _word("psw"),
    "psk": _word("psk"),
    "kennwort": r"kennwort",
    "contrase": r"contrase[nñ]a",
    "senha": _word("senha"),
    "парол": r"парол[ьяи]",
    "密": r"密[码碼]",
    "パスワード": r"パスワード",
    "비밀번호": r"비밀번호",
    "secret": r"secret(?!ar|ion)(?:[ ]key)?",
    "cred": rf"credential|{_word('creds?')}",
    "auth": rf"authori[sz]ation|{_word('auth')}",
    "cookie": r"cookie",
    "jwt": r"jwt",
    "bearer": r"bearer",
    "connection": r"connection[-_ ]?string",
    "signature": r"(?<=[?&-])signature(?==|%3d)",
    "mnemonic": r"mnemonic",
    "phrase": _after("seed recovery mnemonic backup") + "phrase",
    "cv": r"(?<![a-z])cv[vc]2?(?![a-z0-9])",
    "key": _after(
        "api access private encryption decryption signing auth account subscription master ssh session shared "
        "service deploy webhook license license admin client app root user hmac storage consumer openai anthropic "
        "gemini groq mistral cohere tavily serpapi azure stripe gpg pgp rsa aes fernet"
    )
    + r"keys?(?![a-z])|(?<=[?&])key(?==)",
    "token": r"token(?!s|i[sz]|[-_. ]?"
    r"(?:count|usage|limit|budget|type|ids?\b|index|detail|length|logprob|ur[il]|endpoint))|(?=token[^i])"
    + _after("access refresh auth api bearer security session csrf xsrf id user bot")
    + r"tokens?(?!ize|is)",
}  # fmt: skip
# Values under these names are secret where they look like it.
DOUBTFUL: dict[str, str] = {
    "pin": _word("pin"),
    "otp": r"(?<![a-z])[th]?otp(?![a-z])|" + _word("otp"),
    "dsn": _word("dsn"),
    "tok": _word("tok"),
    "sess": rf"{_word('session')}|(?<=j)sessionid|(?<=asp\.net_)sessionid|(?<=php)sessid"
    r"|(?-i:(?<![A-Za-z])(?:sessionid|SESSIONID|sessid|SESSID))(?![a-z])",
    "sid": r"(?<![a-z])sid(?![a-z])",
    "sig": r"(?<![a-z])sig(?:nature)?(?![a-z])",
    "hook": r"(?<=web)hook(?:[-_ ]?ur[il])?(?![a-z])",
    "code": _after("verification security access login time 2fa mfa recovery backup unlock auth sms")
    + r"codes?(?![a-z])|(?<=[?&])code(?==)",
}
AFTER_DOUBTFUL = r"(?:[-_. ]?(?:code|number|nr|value|cookie|hash|key|url|\d))?"

_SECRET = re.compile("|".join(f"(?:{pattern})" for pattern in SECRET.values()), re.IGNORECASE)
_DOUBTFUL = re.compile(
    "(?:"
    + "|".join([*DOUBTFUL.values(), *map(_word, ("sas", "pat", "hmac", "salt", "pepper"))])
    + rf"){AFTER_DOUBTFUL}\Z",
    re.IGNORECASE,
)
_OPAQUE = re.compile(r"(?=\D*\d)\S{4,}|[^\s/]{24,}|\S*://\S*@\S*")

# Two, since `re` looks up a character of the first in a table; with the second in it, it would not.
_ODD = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u2236\u3000\u3164\ua789\ufe00-\ufe0f\ufe13\ufe55\ufe66\ufeff\uff01-\uff5e\uffa0]"
)
_ODD_BEYOND = re.compile("[\U0001d400-\U0001d7ff\U000e0000-\U000e01ef]")
_ASCII = bytes(range(128))
_COLONS = "\u2236\ua789\ufe13"


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Tell whether every value under this key is a secret."""
    return _SECRET.search(plain(key)[0]) is not None


@lru_cache(maxsize=4096)
def is_doubtful_key(key: str) -> bool:
    """Tell whether a value under this key is a secret where it looks like one: see `looks_secret`."""
    return _DOUBTFUL.search(plain(key)[0]) is not None


def looks_secret(value: object) -> bool:
    """Tell whether a value under a doubtful key is taken for a secret: no word, no short number."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if type(value) is int:
        value = str(value)
    return isinstance(value, str) and _OPAQUE.fullmatch(value) is not None


def plain(text: str) -> tuple[str, list[int] | None]:
    """The text as it looks: without characters of no width, with those of ASCII for their full-width forms.

    Returns:
        The text; and for each of its characters the place in the original, None where all are where they were.
    """
    if text.isascii():
        return text, None
    others = text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
    if _ODD.search(others) is None and _ODD_BEYOND.search(others) is None:
        return text, None
    shown: list[str] = []
    places: list[int] = []
    done = 0
    for start, char in sorted((found.start(), found[0]) for odd in (_ODD, _ODD_BEYOND) for found in odd.finditer(text)):
        shown.append(text[done:start])
        places.extend(range(done, start))
        done = start + 1
        char = ":" if char in _COLONS else unicodedata.normalize("NFKC", char)
        if len(char) == 1 and unicodedata.category(char) not in ("Cf", "Mn", "Lo"):
            shown.append(char)
            places.append(start)
    shown.append(text[done:])
    places.extend(range(done, len(text)))
    return "".join(shown), places


__all__ = ["AFTER_DOUBTFUL", "DOUBTFUL", "SECRET", "is_doubtful_key", "is_secret_key", "looks_secret", "plain"]
