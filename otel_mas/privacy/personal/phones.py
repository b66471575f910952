"""Phone numbers in a text, by the metadata of libphonenumber (package `phonenumbers`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Final

import phonenumbers

from otel_mas.privacy.personal.candidates import Finding, Pause, is_named, matches, names

_GAP: Final = r"[ \u00a0().\-/\u2010-\u2013]{0,2}"
_PLUS: Final = re.compile(rf"\+\(?[0-9](?:{_GAP}[0-9]){{6,17}}(?!\w)")
_ZEROS: Final = re.compile(rf"00(?<![\w.,:+/#-]..)[1-9](?:{_GAP}[0-9]){{6,17}}(?!\w)")
_DIGITS: Final = re.compile(rf"[0-9](?<![\w.,:+/#(-].)(?:{_GAP}[0-9]){{6,14}}(?![\w]|[.,:/-][0-9])")
_PARENTHESIS: Final = re.compile(rf"\((?<!\w.)[0-9]{{2,5}}\)(?:{_GAP}[0-9]){{5,12}}(?![\w]|[.,:/-][0-9])")
_NAME: Final = names(
    "(?:tele)?phones?|tel|telefon\\w*|t[eé]l[eé]phone|tel[eé]fono|mobiles?|mobil|cell(?:ular)?|handy|fax|whatsapp|msisdn|"
    "call(?: me| us)(?: at| on)?|sms|rufnummer|phone ?numbers?"
)
_NANP: Final = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1])
_NANP_FORM: Final = re.compile(r"(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([ .-]))\d{3}(?(1)\1|[ .-])\d{4}")
_DATE: Final = re.compile(r"(?:19|20)\d\d[-/. ](?:0?[1-9]|1[0-2])[-/. ]\d|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d")
_DECIMAL: Final = re.compile(r"\d+\.\d+")
_MIN_DIGITS: Final = 7


def phones(text: str, name: str, regions: Sequence[str], pause: Pause | None) -> Iterator[Finding]:
    """Each number: international ones by their length, national ones of these regions where they are valid.

    Digits without anything between are a national number only under a name of one.
    """
    for pattern in (_PLUS, _ZEROS):
        for match in matches(pattern, text, pause):
            if match.start() and text[match.start() - 1].isalnum():
                continue
            found = _longest(match[0])
            if found is not None:
                yield Finding(match.start(), match.start() + found[0], "phone", found[1])
    if not regions:
        return
    for pattern in (_DIGITS, _PARENTHESIS):
        for match in matches(pattern, text, pause):
            found = _national(match[0], tuple(regions), is_named(_NAME, name, text, match.start()))
            if found is not None:
                yield Finding(match.start(), match.start() + found[0], "phone", found[1])


def _longest(text: str) -> tuple[int, str] | None:
    """Length and E.164 form of the longest number that begins a text: other numbers may follow it."""
    end = len(text)
    while end >= _MIN_DIGITS:
        number = _parsed(text[:end], None)
        if number is not None:
            return end, number
        while end and text[end - 1].isdigit():  # the last group belongs to something else
            end -= 1
        while end and not text[end - 1].isdigit():
            end -= 1
    return None


@lru_cache(maxsize=4096)
def _national(text: str, regions: tuple[str, ...], named: bool) -> tuple[int, str] | None:
    """Length and E.164 form of the number of one of the regions that begins a text."""
    if _DECIMAL.fullmatch(text) or (not named and (text.isdigit() or _DATE.match(text))):
        return None
    for region in regions:
        form = _NANP_FORM.match(text) if region in _NANP else None
        if form is not None and not text[form.end() : form.end() + 1].isdigit():
            number = _parsed(form[0], region)
            if number is not None:
                return form.end(), number
        if named:
            number = _parsed(text, region)
            if number is not None:
                return len(text), number
        elif region not in _NANP and (text[0] in "0(" or _has_no_prefix(region)):
            for match in phonenumbers.PhoneNumberMatcher(text, region, phonenumbers.Leniency.STRICT_GROUPING):
                if match.start == 0:
                    return match.end, _e164(match.number)
    return None


@cache
def _has_no_prefix(region: str) -> bool:
    """Whether national numbers of a country begin with no prefix, such as the 0 of most."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return metadata is not None and metadata.national_prefix is None


@lru_cache(maxsize=4096)
def _parsed(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(f"+{text[2:]}" if region is None and text[:2] == "00" else text, region)
    except phonenumbers.NumberParseException:
        return None
    if text[0] != "+" and region is None:  # two zeros begin many a number
        return _e164(number) if phonenumbers.is_valid_number(number) else None
    # By length: numbers that are set aside for examples, such as +1 555 123 4567, are not valid.
    possible = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    return _e164(number) if possible else None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
