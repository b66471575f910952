"""All finders of the chosen kinds over one text."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from otel_mas.privacy.personal.addresses import addresses
from otel_mas.privacy.personal.candidates import Finding, Pause
from otel_mas.privacy.personal.emails import emails
from otel_mas.privacy.secret_names import plain

# Of two kinds that claim the same text the one with the more exact rules has it.
_ORDER: Final = {kind: number for number, kind in enumerate(("email", "iban", "card", "ip", "national_id", "phone"))}
PLACEHOLDER: Final = re.compile(rf"\[(?:{'|'.join(_ORDER)})(?::[0-9a-f]+)?\]|\[removed[^\]]{{0,40}}\]")
_DIGIT: Final = re.compile(r"[0-9]")


class Finders:
    """Finds personal data in texts.

    Args:
        kinds: some of `otel_mas.config.personal.KINDS`.
        regions: countries whose national phone numbers are looked for, by ISO 3166.
    """

    def __init__(self, kinds: Iterable[str], regions: Sequence[str] = ()) -> None:
        self._kinds = frozenset(kinds)
        self._regions = tuple(regions)

    def find(self, text: str, name: str = "", pause: Pause | None = None) -> list[Finding]:
        """The pieces of personal data in a text, in order and apart from each other; in time linear in its length.

        Args:
            text: the text.
            name: of the value that the text is, such as its key.
            pause: called every few milliseconds; an exception that it raises ends the work.
        """
        if not self._kinds:
            return []
        shown, places = plain(text)
        if _DIGIT.search(shown) is None and "@" not in shown:
            return []
        found = sorted(self._all(shown, name, pause), key=lambda one: (_ORDER[one.kind], one.start))
        if found:
            found = _apart(found, [match.span() for match in PLACEHOLDER.finditer(shown)])
        if places is None:
            return found
        return [one._replace(start=places[one.start], end=places[one.end - 1] + 1) for one in found]

    def _all(self, text: str, name: str, pause: Pause | None) -> Iterator[Finding]:
        kinds = self._kinds
        if "email" in kinds:
            yield from emails(text, pause)
        if "ip" in kinds:
            yield from addresses(text, name, pause)
        if "iban" in kinds or "card" in kinds:
            from otel_mas.privacy.personal import accounts

            if "iban" in kinds:
                yield from accounts.ibans(text, pause)
            if "card" in kinds:
                yield from accounts.cards(text, pause)
        if "national_id" in kinds:
            from otel_mas.privacy.personal.national_ids import national_ids

            yield from national_ids(text, name, pause)
        if "phone" in kinds:
            from otel_mas.privacy.personal.phones import phones

            yield from phones(text, name, self._regions, pause)


def _apart(found: Iterable[Finding], placeholders: Iterable[tuple[int, int]]) -> list[Finding]:
    """Those that overlap with none before them, nor with what stands for data that is gone already, by place."""
    taken = sorted(placeholders)
    apart: list[Finding] = []
    for one in found:
        if not _overlaps(taken, one.start, one.end):
            insort(taken, (one.start, one.end))
            apart.append(one)
    return sorted(apart)


def _overlaps(taken: list[tuple[int, int]], start: int, end: int) -> bool:
    place = bisect_left(taken, (start, start))
    return (place < len(taken) and taken[place][0] < end) or (place > 0 and taken[place - 1][1] > start)
