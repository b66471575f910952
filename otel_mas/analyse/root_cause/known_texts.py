"""Texts, numbers, words and labelled values that were written so far, to find again in what is read later."""

from __future__ import annotations

import operator
import re
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from math import inf, isclose

from otel_mas.analyse.root_cause.values import COUNT, numbers_in

_WORD = re.compile(r"\w+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
"""Days; nothing is computed of their parts."""
_KEY_WORDS = 6
_SAME_START = 100
"""Texts with the same first words that are looked for at most, the latest ones."""
_RECENT = 60
"""Numbers of which others may be computed, the latest ones."""
_LABELLED = re.compile(r"(?:^|[\n,;{(]|\. |- )[ \t]*[\"']?([A-Za-z][\w ]{1,30}?)[\"']?[ \t]*[:=][ \t]*([^\n;}]*)")
_END = re.compile(r"[.;}]\s|,\s?(?=[\"'\w][\w ]{0,30}[\"']?\s?[:=])|[.,;\"'}\])]*$")
_NONE = re.compile(
    r"[\s.,;\"']*(?:none|null|unknown|n/a|na|nan|nil|\?|-|undefined|not\s+known)?[\s.,;\"']*", re.IGNORECASE
)
PHRASE = 12
"""Characters of a text that does not come twice by chance; shorter ones are not looked for."""


class KnownTexts:
    """Texts, indexed by their first words, with the numbers, words and labelled values in them."""

    def __init__(self) -> None:
        self.numbers: set[str] = set()
        self.repeated: set[str] = set()
        """Numbers that the run was given more than once."""
        self.words: set[str] = set()
        self.labelled: dict[str, set[str]] = {}
        """Values by their label, both in one form."""
        self.empty: set[str] = set()
        """Labels that somebody wrote without a value."""
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._times: Counter[str] = Counter()
        self._lines: Counter[str] = Counter()
        self._sizes: set[int] = set()
        self._by_start: dict[tuple[str, ...], list[str]] = {}

    def add(self, text: str, times: int = 1) -> None:
        """Note a text that was written so many times more."""
        flat = flattened(text)
        if flat not in self._times:
            self._add_parts(text, flat)
        self._times[flat] += times
        for line in filter(None, map(flattened, text.splitlines())) if times else ():
            self._lines[line] += times

    def add_value(self, label: str, text: str) -> None:
        """Note a value by its label, such as the channel of a state."""
        if is_none(text):
            self.empty.add(_label(label))
        else:
            self.labelled.setdefault(_label(label), set()).add(_value(text))

    def doubled(self, read: str) -> str | None:
        """A line that was read more often than it was written."""
        lines = Counter(line for line in map(flattened, read.splitlines()) if len(line) >= PHRASE)
        return next((line for line, times in lines.items() if times > self._lines.get(line, times)), None)

    def inside(self, read: str) -> list[str]:
        """Texts that a flattened text holds, the longest first."""
        words = _WORD.findall(read)
        keys = {tuple(words[at : at + size]) for size in self._sizes for at in range(len(words) - size + 1)}
        starts = (self._by_start[key][-_SAME_START:] for key in keys if key in self._by_start)
        found = {text for texts in starts for text in texts if text in read}
        return sorted(found, key=lambda text: (-len(text), text))

    def unexplained(self, text: str, given: Sequence[float] = ()) -> list[str]:
        """Numbers of a text that nobody wrote and that follow from none that somebody did; no counts, nor 10, 100.

        Args:
            given: numbers of which it may be the sum or the mean.
        """
        new = sorted(numbers_in(text) - self.numbers)
        odd = [number for number in new if "." in number or (abs(float(number)) >= COUNT and number.strip("0") != "1")]
        sums = (sum(given), sum(given) / max(1, len(given)))
        known = sorted(self._recent) if odd else []
        wanted = ((one, abs(float(one))) for one in odd)
        return [
            one for one, size in wanted if not any(_same(size, sum_) for sum_ in sums) and not _follows(size, known)
        ]

    def _add_parts(self, text: str, flat: str) -> None:
        numbers = numbers_in(flat)
        factors = numbers_in(_DAY.sub(" ", flat))
        self._recent.extend(sorted(float(number) for number in factors - self.numbers))
        self.numbers |= numbers
        words = _WORD.findall(flat)
        self.words.update(word.lower() for word in words)
        for label, value in labelled_in(text):
            self.add_value(label, value)
        if len(flat) >= PHRASE and words:
            key = tuple(words[:_KEY_WORDS])
            self._sizes.add(len(key))
            self._by_start.setdefault(key, []).append(flat)


def _follows(number: float, known: Sequence[float]) -> bool:
    """Whether a number is the sum, difference, product or quotient of two that are known, which are sorted.

    With one of them fixed each of these grows or falls with the other, so only the others nearest to what is needed
    count, and the outermost ones, where the sign changes.
    """
    for at, one in enumerate(known):
        for needed, result in (
            (number - one, operator.add),
            (one - number, _difference),
            (one + number, _difference),
            (number / one if one else 0.0, operator.mul),
            (one / number if number else 0.0, _quotient),
        ):
            for place in _nearest(needed, known, outermost=result is _quotient):
                if place != at and _same(number, result(one, known[place])):
                    return True
    return False


def _difference(one: float, other: float) -> float:
    return abs(one - other)


def _quotient(one: float, other: float) -> float:
    return one / other if other else inf


def _nearest(wanted: float, known: Sequence[float], *, outermost: bool) -> Iterator[int]:
    """Places of the two numbers before and after, and of the outermost."""
    at, last = bisect_left(known, wanted), len(known) - 1
    yield from range(max(0, at - 2), min(last, at + 1) + 1)
    if outermost:
        yield from (0, last)


def labelled_in(text: str) -> Iterator[tuple[str, str]]:
    """The labelled values of a text: `Cost: 38 million`, `"cost": 38`; each as label and value in one form."""
    at = 0
    while (match := _LABELLED.search(text, at)) is not None:
        value = match[2]
        if value[:1] in ("{", "["):  # the labels are inside
            at = match.start(2)
            continue
        end = _END.search(value)
        cut = value if end is None else value[: end.start()]
        yield _label(match[1]), _value(cut)
        at = max(match.start(2) + len(cut), match.start() + 1)


def is_none(value: str) -> bool:
    """Whether a value says that there is none."""
    return _NONE.fullmatch(value) is not None


def flattened(text: str) -> str:
    """A text with single spaces for all that is blank."""
    return " ".join(text.split())


def words_of(text: str) -> Iterator[re.Match[str]]:
    """The words of a text, with their places."""
    return _WORD.finditer(text)


def _label(text: str) -> str:
    return " ".join(text.replace("_", " ").lower().split())


def _value(text: str) -> str:
    value = " ".join(text.lower().split()).strip(" .,;\"'")
    number = value.replace(",", "")
    return number if number.replace(".", "", 1).isdigit() else value


def _same(number: float, other: float) -> bool:
    return isclose(number, other, rel_tol=1e-6) or abs(number - other) < 1  # rounded, up or down


__all__ = ["PHRASE", "KnownTexts", "flattened", "is_none", "labelled_in", "words_of"]
