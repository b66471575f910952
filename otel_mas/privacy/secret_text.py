r"""The places of secrets in a text, each with its rule.

A scan looks for fixed words first, since `str.find` is a hundred times faster than an alternation of patterns, and
tries the patterns only where a word was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

from otel_mas.privacy.secret_lines import Columns, Span, block_below, table_cells
from otel_mas.privacy.secret_names import AFTER_DOUBTFUL, DOUBTFUL, SECRET, looks_secret, plain
from otel_mas.privacy.token_shapes import tokens

T = TypeVar("T")
Found = tuple[int, int, str]
"""Start, end and rule of a secret."""
Pause = Callable[[], None]
"""Called every few milliseconds of a long scan; an exception that it raises ends the scan."""
_STEPS_PER_PAUSE = 128  # 3 ms at most

_FLAGS = re.IGNORECASE | re.DOTALL | re.VERBOSE

_RULES = {
    **dict.fromkeys(
        ("pass", "pwd", "pw", "psw", "psk", "kennwort", "contrase", "senha", "парол", "密", "パスワード", "비밀번호"),
        "password",
    ),
    **dict.fromkeys(("phrase", "mnemonic"), "passphrase"),
    **dict.fromkeys(("sess", "sid", "cookie"), "session"),
    **dict.fromkeys(("auth", "bearer", "jwt", "cred"), "credential"),
    "connection": "connection-string",
    "sig": "signature",
    "cv": "card-code",
    "tok": "token",
}  # fmt: skip
# Their values may be of several words.
_OF_WORDS = frozenset(word for word, rule in _RULES.items() if rule in ("password", "passphrase")) | {"secret"}

# -- between a name and its value --------------------------------------------------------------------------------------

_ENTITY = r"(?:&quot;|&\#3[49];|%2[027]|\\+(?:u00|x)2[27]|\+)?"
_REST = r"[\w.\-]{0,40}"
_CLOSE = rf"(?:\\*[\"'`*~”’»]{{1,4}})?[\])]?(?:</\w{{1,10}}>)?{_ENTITY}[*_~`]{{0,3}}\s*"
_TYPE = r"(?:str|string|bytes|int|any|object|Secret\w*|Optional\[\w+\]|Final(?:\[\w+\])?|&'?\w*\s?str)(?:\s*\|\s*\w+)?"
_SEPARATOR = rf"""(?:
    ={{1,3}}>? | != | := | -> | :\s*{_TYPE}\s*=(?!=) | : | > | {_TYPE}\s*:?=(?!=)
  | (?P<encoded>%(?:25)*3[da] | \\+(?:u00|x)3[da] ) | &gt; | &\#(?:61|58); | (?<=[>\s])(?=<\w{{1,10}}[ >])
  | (?:(?<=\s)(?:is|was)(?:\s*+:)?\s++ | [–—→⇒]\s* | \(\s*(?=["'][^"'\s]*\d) | (?<=\s)-\s+ | (?<=\t))(?=\S*\d)
)"""
_OPEN = rf"\s*(?:[*_~]{{1,3}}\s*)?(?:</?\w{{1,10}}(?:\s[^<>]{{0,60}})?>\s*){{0,3}}{_ENTITY}"

_QUOTED = r"""[bruf]{0,2}(?P<esc>\\*)(?P<quote>\"{3}|'{3}|["'`])(?P<quoted>.*?)(?=(?<!\\)(?P=esc)(?P=quote)|\Z)"""
_NO_VALUE = r"(?!(?:true|false|null|none|nil|undefined)(?:[\s,;)\]}\"'&<|]|\Z))"
_SCHEME = r"(?:(?:bearer|basic|digest|token|apikey|negotiate|bot|oauth)(?:\s|\\[nrt]|%20|\+)+)?"
_BARE = rf"""(?P<bare>
    -----BEGIN\ .*?(?:-----END[^-]*-----|\Z)
  | (?(encoded) {_SCHEME}(?:(?!%(?:25)?(?:2[267C]|0A|7D)|\\+u00(?:26|22))[^\s"'`&<>])+
    | {_SCHEME}(?:\[[^\]]*\]?|\((?=[\"'])[^)]*\)?|\{{[^}}]*\}}?)?
      (?:(?:[^\s"'`&<>,;]|[,;](?![\w.\- ]{{1,30}}=))*[^\s"'`&<>,;)\]}}\\])?
  )
)"""
_NEXT = r"[ \t]+(?!-|[\w.\-]{1,40}[\"'`]?\s*[:=])"
_WORD = r"[^\s\"'`&<>,;|()\[\]{}\\]+"
_NO_PHRASE = (
    r"(?!(?:is|are|was|were|must|should|has|have|had|can|cannot|may|will|for|of|to|and|or|not|required|invalid|missing|"
    r"incorrect|wrong|expired|the|a|an|too|do|does|if|when|please|in|on|at|with|by|from|your)\b)"
)
_PHRASE = rf"""(?P<phrase>(?!\[redacted\])(?:
    {_NO_PHRASE}[^\W\d_]{{2,}}(?:[-'][^\W\d_]+)*(?:(?<![.!?:]){_NEXT}{_WORD}){{1,11}}
  | {_WORD}(?:{_NEXT}(?=\S*\d)(?=\S*[A-Za-z]){_WORD}){{1,7}}
))"""

# Without one of these there is no pair, no header and no option.
_SEPARATED = re.compile(r"[=:>|%&\s\\(–—→⇒]")
# A name of a value is followed by one of these.
_GOES_ON = re.compile(
    r"[\w.\-]{0,40}(?:[ \t]*[\t\n\r]|\s*[^\w\s.,;!?]|,(?=\S)|"
    r"\s+(?:is|was|str|string|bytes|int|any|object|secret\w*|optional|final)\b)",
    re.IGNORECASE,
)
_PAIR = re.compile(f"{_REST}{_CLOSE}{_SEPARATOR}{_OPEN}(?:{_QUOTED}|{_NO_VALUE}{_BARE})", _FLAGS)
_PAIR_OF_WORDS = re.compile(
    rf"{_REST}{_CLOSE}(?:{_SEPARATOR}|(?<=[ \t])(?=[\"'])){_OPEN}(?:{_QUOTED}|{_NO_VALUE}(?:{_PHRASE}|{_BARE}))", _FLAGS
)
_PAIR_IF_OPAQUE = re.compile(
    f"{AFTER_DOUBTFUL}(?![\\w.]){_CLOSE}{_SEPARATOR}{_OPEN}(?:{_QUOTED}|{_NO_VALUE}{_BARE})", _FLAGS
)
_LINE = re.compile(
    rf"{_REST}[*_~`]{{0,3}}\s*+:[*_~`]{{0,3}}\s*+(?!\\*[\"'`\[]){_NO_VALUE}"
    r"(?P<bare>digest\s[^\r\n]+|(?:(?<==)\\*\"[^\"\r\n]*\"|[^\r\n\"'`])+)",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"(?:<|&lt;)/[\w.:\-]*\Z")
_OPTION_BEFORE = re.compile(r"(?:\A|[\s\"'\[,])--?[\w-]*\Z")
_OPTION = re.compile(r"[\w-]{0,40}[\"']?[\s,]+[\"']?(?P<bare>[^\s\"']+)")

# `name="db.password" type="x" value="..."`, `name: DB_PASSWORD` and `value: ...` on the next line
_ENDS = re.compile(r"[\w.\-]{0,40}[ \t]*\\*[\"'`\r\n,;]")
_NAME_BEFORE = re.compile(
    r"(?:\A|[^\w])(?:name|key|id|field|header|variable|param|parameter|setting|property|env|type)\\*[\"'`]?"
    r"\s*(?:[:=]>?)?\s*\\*[\"'`]?[\w.\-]{0,40}\Z",
    re.IGNORECASE,
)
_VALUE_AFTER = re.compile(
    rf"""{_REST}\\*["'`]?[\s,;{{]{{1,20}}
    (?:\\*["'`]?[\w-]{{1,30}}\\*["'`]?\s*[:=]\s*\\*["'`]?[^"'`\n,{{}}<>=:]{{0,60}}\\*["'`]?[\s,;]{{1,20}}){{0,4}}?
    \\*["'`]?(?:value|default|content|val|data|text|current)\w*\\*["'`]?\s*{_SEPARATOR}\s*
    (?:{_QUOTED}|{_NO_VALUE}{_BARE})""",
    _FLAGS,
)
_VALUE_BEFORE = re.compile(
    r"\bvalue\s*=\s*(?P<quote>[\"'])(?P<quoted>[^\"'<>]*)(?P=quote)[^<>]{0,100}\Z", re.IGNORECASE
)
_PAIR_OF_TEXTS = re.compile(
    rf"{_REST}\\*[\"'`]\s*,\s*(?P<esc>\\*)(?P<quote>[\"'`])(?P<quoted>[^\"'`\s]*)(?P=esc)(?P=quote)\s*[)\]]"
)
_PAIR_BEGINS = re.compile(r"[(\[]\s*\\*[\"'`][\w.\-]*\Z")
_SPACED_BEFORE = re.compile(
    r"(?:\blogin\s+\S+\s+|^[ \t]*(?:ENV|setx|setenv|fastcgi_param|config\s+set)\s+)[\w.\-]*\Z",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING_BEFORE = re.compile(r"(?:\A|\n)[ \t]*#{1,6}[ \t][\w *.`\-]*\Z")
_BELOW_HEADING = re.compile(r":?[ \t]*\n\s*(?P<bare>(?=\S*\d)\S{4,})[ \t]*(?:\n|\Z)")
_SPACED = re.compile(r"[\w.\-]{0,40}[ \t]+(?P<bare>[^\s\"']+)")

# -- shapes ------------------------------------------------------------------------------------------------------------

# Tried at the literal they begin with.
_SHAPES: dict[str, tuple[str, re.Pattern[str]]] = {
    "bearer": (
        "bearer",
        re.compile(r"bearer(?:\s|\\[nrt]|%20|\+)+(?P<bare>[\w.~+/=-]{8,})", re.IGNORECASE),
    ),
    "basic": (
        "basic",
        re.compile(
            r"basic(?:\s|\\[nrt]|%20|\+)+(?P<bare>(?=[a-z+/]*[0-9=+/])[a-z0-9+/]{8,}(?:=|%3d){0,2})", re.IGNORECASE
        ),
    ),
    "://": (
        "url-password",
        re.compile(
            r"://(?P<user>(?:(?=[^\s/?#@:\"'\[\]]*\d)[^\s/?#@:\"'\[\]<>]{12,}|[^\s/?#@:\"'\[\]<>]{20,})"
            r"(?::[^\s/?#@\"'<>]*)?)(?=@)"
            r"|://[^\s/?#@:\"'\[]*:(?!\d{1,5}(?:[/?#\s]|\Z))"
            r"(?P<bare>[^\s/?#\"'<>]{1,512}(?=@)|[^\s\"'<>]{1,512}?(?=@))"
        ),
    ),
    "-----begin": (
        "pem",
        re.compile(
            r"(?P<bare>-----BEGIN (?!CERT|(?:\w+ )?PUBLIC)[A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z))",
            re.DOTALL | re.IGNORECASE,
        ),
    ),
}
_USER = (
    r"[^\n|;]{0,300}?\s(?:-u|-U|--user|--proxy-user|-a|--auth)(?:\s+|=)?"
    r"(?:\"[^\":]{0,256}:(?P<a>[^\"]+)|'[^':]{0,256}:(?P<b>[^']+)|(?![/\d])[^\s:\"']{0,256}:(?P<bare>[^\s\"']+))"
)
_LETTER_OPTION = re.compile(r" --?[A-Za-z]")
# Programs that take a secret in an option of one letter.
_COMMANDS: tuple[tuple[str, str], ...] = (
    ("curl", rf"curl\b{_USER}"),
    ("wget", rf"wget\b{_USER}"),
    ("http ", rf"\bhttp\b{_USER}"),
    ("https ", rf"\bhttps\b{_USER}"),
    ("mysql", r"mysql\w{0,20}[^\n|;]{0,300}?\s-p(?P<bare>[^\s\"']+)"),
    ("mariadb", r"mariadb\w{0,20}[^\n|;]{0,300}?\s-p(?P<bare>[^\s\"']+)"),
    ("sshpass", r"sshpass\b[^\n|;]{0,300}?\s-p\s*(?P<bare>[^\s\"']+)"),
    ("mongo", r"mongo\w{0,20}[^\n|;]{0,300}?\s-p\s+(?P<bare>[^\s\"']+)"),
    (" login", r" login\b[^\n|;]{0,300}?\s-p\s+(?P<bare>[^\s\"']+)"),
    ("redis-cli", r"redis-cli\b[^\n|;]{0,300}?\s-a\s+(?P<bare>[^\s\"']+)"),
    ("ldap", r"ldap\w{1,20}[^\n|;]{0,300}?\s-w\s+(?P<bare>[^\s\"']+)"),
    ("sqlcmd", r"sqlcmd\b[^\n|;]{0,300}?\s-P\s*(?P<bare>[^\s\"']+)"),
    ("smbclient", r"smbclient\b[^\n|;]{0,300}?\s-U\s+[^\s%]+%(?P<bare>\S+)"),
)
# Tried at their literal, or where the number says how far it can be from their beginning, searched around it.
_AROUND: tuple[tuple[str, int, str, re.Pattern[str]], ...] = (
    *((name, 0, "command-line", re.compile(pattern)) for name, pattern in _COMMANDS),
    (
        "hook",
        0,
        "webhook",
        re.compile(
            r"""hook(?: s\.slack(?:-gov)?\.com/\w{1,64}/ | s?\.[\w.\-]{1,253}/(?=\S{0,256}\d)(?=\S{16})
            | (?:s|b2)?/(?:[a-z]{1,12}/){0,2}(?=[\w%/@\-]{0,256}\d)(?=[\w%/@\-]{16})
            )(?P<bare>[^\s"'<>|)`]+)""",
            re.IGNORECASE | re.VERBOSE,
        ),
    ),
    ("/with/key/", 0, "webhook", re.compile(r"/with/key/(?P<bare>[\w-]+)")),
    (":aa", 0, "telegram", re.compile(r"(?<=\d{6}):(?P<bare>AA[\w-]{30,})")),
    ("-us", 32, "mailchimp", re.compile(r"\b(?P<bare>[0-9a-f]{32}-us\d{1,2})\b")),
    ("q~", 4, "azure", re.compile(r"(?P<bare>[\w~.]{3}\dQ~[\w~.-]{20,})")),
    (".atlasv1.", 20, "terraform", re.compile(r"(?P<bare>\w{10,20}\.atlasv1\.[\w=-]{20,})")),
    ("_mmk", 39, "maxmind", re.compile(r"\b(?P<bare>\w{6}_\w{24,32}_mmk)\b")),
    ("requirepass", 0, "password", re.compile(r"requirepass\s+(?P<bare>\S+)")),
    (":5432:", 0, "password", re.compile(r":5432:[^:\s]+:[^:\s]+:(?P<bare>\S+)")),
    ("thin:", 0, "password", re.compile(r"thin:[^/\s]{1,256}/(?P<bare>[^@\s]{1,512})@")),
    (
        "identified by",
        0,
        "password",
        re.compile(r"identified by (?:password )?['\"](?P<bare>[^'\"]+)", re.IGNORECASE),
    ),
    (
        "kind: secret",
        0,
        "kubernetes",
        re.compile(
            r"kind: secret\b.{0,2000}?^(?:data|stringData):[ \t]*\n(?P<bare>(?:[ \t]+[^\n]*\n?)+)",
            re.DOTALL | re.MULTILINE | re.IGNORECASE,
        ),
    ),
)

_MAX_AROUND = 300

_NAMES: dict[str, list[tuple[bool, str]]] = {}
for _if_opaque, _patterns in ((False, SECRET), (True, DOUBTFUL)):
    for _word, _pattern in _patterns.items():
        _NAMES.setdefault(_word, []).append((_if_opaque, _pattern))
_NAMES["sig"].insert(0, (False, r"(?<=[?&;])sig(?==|%3d)"))
_LITERALS = tuple(dict.fromkeys((*_NAMES, *_SHAPES)))
_ASCII_LITERALS = tuple(filter(str.isascii, _LITERALS))


@cache
def _compiled(name: str) -> re.Pattern[str]:
    return re.compile(name, re.IGNORECASE)  # where it is needed: the first span waits for all that is made before


def find(text: str, pause: Pause | None = None) -> list[Found]:
    """Each secret in a text, in order and apart from each other."""
    shown, places = plain(text)
    found = list(_paced(tokens(shown), pause))
    lower = shown.lower()
    if len(lower) != len(shown):  # a few characters are two in lower case: keep the places
        lower = "".join(low if len(low := char.lower()) == 1 else char for char in shown)
    if _SEPARATED.search(shown):
        found += _at_words(shown, lower, pause)
    found += _paced(_around(shown, lower), pause)
    if len(found) > 1:
        found = _merged(found)
    if places is None:
        return found
    return [(places[start], places[end - 1] + 1, rule) for start, end, rule in found]


def _paced(steps: Iterable[T], pause: Pause | None) -> Iterator[T]:
    """Yield the steps, with a pause after every few."""
    for number, step in enumerate(steps, 1):
        yield step
        if pause is not None and not number % _STEPS_PER_PAUSE:
            pause()


def _merged(found: list[Found]) -> list[Found]:
    found.sort()
    apart: list[Found] = []
    for start, end, rule in found:
        if apart and start < apart[-1][1]:
            first, last, known = apart[-1]
            apart[-1] = first, max(last, end), known
        else:
            apart.append((start, end, rule))
    return apart


def _around(text: str, lower: str) -> Iterator[Found]:
    # An option, which most text has none of, is what all of the first are about.
    for literal, back, rule, pattern in _AROUND if _LETTER_OPTION.search(text) else _AROUND[len(_COMMANDS) :]:
        place = lower.find(literal)
        while place >= 0:
            first, last = max(0, place - back), place + _MAX_AROUND
            match = pattern.search(text, first, last) if back else pattern.match(text, place)
            if match is not None:
                yield *match.span(match.lastindex or 0), rule
            place = lower.find(literal, place + 1 if match is None else max(place + 1, match.end()))


def _at_words(text: str, lower: str, pause: Pause | None) -> Iterator[Found]:
    hits: list[tuple[int, str]] = []
    for word in _ASCII_LITERALS if text.isascii() else _LITERALS:
        place = lower.find(word)
        while place >= 0:
            hits.append((place, word))
            place = lower.find(word, place + 1)
    hits.sort()
    done = 0
    columns: tuple[Columns, Columns] = {}, {}
    for place, word in _paced(hits, pause):
        if place >= done:
            for found in _at(text, place, word, columns[word in _OF_WORDS]):
                yield found
                done = max(done, found[1])


def _at(text: str, place: int, word: str, columns: Columns) -> list[Found]:
    if word in _SHAPES:
        rule, shape = _SHAPES[word]
        match = shape.match(text, place)
        if match is not None:
            return [(*_value_span(match), rule)]
    for doubtful, pattern in _NAMES.get(word, ()):
        match = _compiled(pattern).match(text, place)
        if match is not None:
            spans = _doubtful(text, match.end()) if doubtful else _named(text, place, match.end(), word, columns)
            if spans:
                rule = _RULES.get(word, word)
                return [(start, end, rule) for start, end in spans]
    return []


def _value_span(match: re.Match[str]) -> Span:
    for group in ("phrase", "quoted", "bare", "user"):
        if group in match.re.groupindex and match[group] is not None:
            return match.span(group)
    return match.span()


def _doubtful(text: str, end: int) -> list[Span]:
    if _GOES_ON.match(text, end) is None:
        return []
    match = _PAIR_IF_OPAQUE.match(text, end)
    if match is None:
        return []
    start, last = _value_span(match)
    return [(start, last)] if looks_secret(text[start:last]) else []


def _named(text: str, place: int, end: int, word: str, columns: Columns) -> list[Span]:
    """Find the value under a secret's name that ends there."""
    if "/" in text[max(0, place - 40) : place] and _CLOSING.search(text, max(0, place - 40), place):
        return []
    match = None
    if _GOES_ON.match(text, end):
        spans = _in_table(text, place, end, word, columns) or block_below(text, place, end)
        if spans:
            return spans
        match = _LINE.match(text, end) if word in ("auth", "cookie") else None
        match = match or (_PAIR_OF_WORDS if word in _OF_WORDS else _PAIR).match(text, end)
    if match is None:
        match = _apart(text, place, end)
    if match is None:
        return []
    start, last = _value_span(match)
    return [(start, last)] if start < last else []


def _in_table(text: str, place: int, end: int, word: str, columns: Columns) -> list[Span]:
    """The value beside a name in a row of a table, or the values in the column below one."""
    return [
        (start, last)
        for start, last in table_cells(text, place, end, columns)
        if word in _OF_WORDS or looks_secret(text[start:last].strip("*_`\"'"))
    ]


def _apart(text: str, place: int, end: int) -> re.Match[str] | None:
    """The value of a name that no separator follows."""
    before = max(0, place - 60)
    if "-" in text[before:place] and _OPTION_BEFORE.search(text, before, place):
        match = _OPTION.match(text, end)
        if match is not None:
            return match
    following = text[end : end + 60]
    if "," in following and _PAIR_BEGINS.search(text, before, place):
        match = _PAIR_OF_TEXTS.match(text, end)
        if match is not None:
            return match
    if _ENDS.match(text, end) and _NAME_BEFORE.search(text, before, place):
        match = _VALUE_AFTER.match(text, end) or _VALUE_BEFORE.search(text, max(0, place - 300), place)
        if match is not None:
            return match
    if following[:1] == "\n" or following[:1] == ":":
        return _BELOW_HEADING.match(text, end) if _HEADING_BEFORE.search(text, before, place) else None
    if ("login" in text[before:place] or text[place - 1 : place] != " ") and _SPACED_BEFORE.search(text, before, place):
        return _SPACED.match(text, end)
    return None


__all__ = ["Found", "Pause", "find"]
