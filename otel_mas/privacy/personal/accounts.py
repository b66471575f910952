"""Payment cards (by issuer, length and Luhn) and IBANs (by country, length and mod 97) in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from stdnum import iban, luhn, numdb

from otel_mas.privacy.personal.candidates import Finding, Pause, matches

# Not inside of longer numbers, hexadecimal ids, UUIDs and decimal fractions.
_CARD: Final = re.compile(
    r"[2-6][0-9]{3}(?<![\w.,+]....)(?<![0-9A-Za-z]-....)(?:"
    r"[0-9]{9,15}|(?P<by4>[ -])[0-9]{4}(?P=by4)[0-9]{4}(?P=by4)[0-9]{1,7}|(?P<by6>[ -])[0-9]{6}(?P=by6)[0-9]{4,5}"
    r")(?![\w]|[.,-][0-9])"
)
# First digits and lengths, by ISO/IEC 7812 and the schemes' own ranges.
_ISSUERS: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[689]\d)\d{11}|3(?:0[0-5]|[689]\d)\d{13}"  # Diners Club
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12}(?:\d{3})?"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}(?:\d{3})?"  # JCB
    r"|62\d{14}(?:\d{3})?"  # UnionPay
    r"|(?:5018|5020|5038|5893|6304|6759|676[1-3])\d{12}(?:\d{3})?"  # Maestro
)
_IBAN: Final = re.compile(r"[A-Za-z]{2}[0-9]{2}(?<!\w....)(?:[ -]?[A-Za-z0-9]){11,30}")


def cards(text: str, pause: Pause | None) -> Iterator[Finding]:
    """Each number of a card, in one piece or in the groups that are printed on it."""
    for match in matches(_CARD, text, pause):
        number = re.sub(r"\D", "", match[0])
        if _ISSUERS.fullmatch(number) and len(set(number)) > 1 and luhn.is_valid(number):
            yield Finding(*match.span(), "card", number)


def ibans(text: str, pause: Pause | None) -> Iterator[Finding]:
    """Each IBAN, in one piece or with blanks or hyphens between."""
    for match in matches(_IBAN, text, pause):
        end = _end_of_iban(text, match.start(), match.end())
        if end:
            yield Finding(match.start(), end, "iban", re.sub(r"[ -]", "", text[match.start() : end]).upper())


def _end_of_iban(text: str, start: int, end: int) -> int:
    """The end of the IBAN from `start` on, by its country's length: words may follow, which look like more of it."""
    left = _length(text[start : start + 2].upper())
    at = start
    while at < end and left:
        left -= text[at] not in " -"
        at += 1
    if left or at == start or text[at : at + 1].isalnum():
        return 0
    return at if iban.is_valid(text[start:at]) else 0


@cache
def _length(country: str) -> int:
    """Characters of a country's IBANs; 0 where it has none."""
    (_, found), *_ = numdb.get("iban").info(country)
    return 4 + sum(map(int, re.findall(r"[0-9]+", found["bban"]))) if "bban" in found else 0
