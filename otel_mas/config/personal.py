"""Values of the settings for personal data: kinds, paths, and countries of phone numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Final

EXTRA: Final = "otel-mas[personal-data]"
KINDS: Final[dict[str, str]] = {
    "email": "",
    "phone": "phonenumbers",
    "card": "stdnum",
    "iban": "stdnum",
    "ip": "",
    "national_id": "stdnum",
}
"""Each kind, with the package that checks its candidates."""

_PATH: Final = re.compile(r"(?:tool:)?[^\s.\[\](),]+(?:\.[^\s.\[\](),]+)*")


def kinds(text: str) -> tuple[str, ...]:
    """Kinds separated by commas, `all`, or `off` for none."""
    return checked_kinds([] if text in ("off", "none") else _listed(text))


def checked_kinds(given: Sequence[str]) -> tuple[str, ...]:
    """The kinds that these names ask for, each once and in the table's order.

    Raises:
        ValueError: names an unknown kind, or the extra that a kind needs and that is not installed.
    """
    unknown = [name for name in given if name not in KINDS and name != "all"]
    if unknown:
        raise ValueError(f"off, all, or some of {', '.join(KINDS)}")
    chosen = tuple(kind for kind in KINDS if kind in given or "all" in given)
    missing = [kind for kind in chosen if KINDS[kind] and find_spec(KINDS[kind]) is None]
    if missing:
        others = ", ".join(kind for kind in KINDS if kind not in missing)
        raise ValueError(f"of {others} only, until {', '.join(missing)} can be checked: pip install '{EXTRA}'")
    return chosen


def paths(text: str) -> tuple[str, ...]:
    """Paths separated by commas."""
    return checked_paths(_listed(text))


def checked_paths(given: Sequence[str]) -> tuple[str, ...]:
    """The same paths, each made of names with dots between; `*` is any name, `**` any number of names."""
    if not all(isinstance(path, str) and _PATH.fullmatch(path) for path in given):
        raise ValueError("paths such as gen_ai.tool.call.arguments.customer.*, **.address or tool:send_mail.body")
    return tuple(given)


def regions(text: str) -> tuple[str, ...]:
    """Codes of countries separated by commas, or `none`."""
    return checked_regions([] if text == "none" else _listed(text))


def checked_regions(given: Sequence[str]) -> tuple[str, ...]:
    """The same codes, in capitals, all of which `phonenumbers` knows."""
    codes = tuple(str(code).upper() for code in given)
    if codes:
        if find_spec("phonenumbers") is None:
            raise ValueError(f"none, until phone numbers can be checked: pip install '{EXTRA}'")
        known = import_module("phonenumbers").SUPPORTED_REGIONS
        if not known.issuperset(codes):
            raise ValueError("codes of countries by ISO 3166, such as US,GB,DE, or none")
    return codes


def _listed(text: str) -> list[str]:
    return list(filter(None, map(str.strip, text.split(","))))
