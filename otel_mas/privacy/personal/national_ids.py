"""National ids in a text, by their form and, where they have one, their check digit (package `python-stdnum`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, Final

from otel_mas.privacy.personal.candidates import Finding, Pause, is_named, matches, names

# Forms that hardly anything else has, each with the module of stdnum that checks it. Without one the form is all.
FORMS: Final[tuple[tuple[str, str], ...]] = (
    (r"(?!000|666)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}", ""),  # US: SSN, and ITIN from 900 on
    (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", "br.cpf"),
    (r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}", "ch.ssn"),
    (r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9Kk]", "cl.rut"),
    (r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", "be.nn"),
    (r"[0-9]{6}[-+A][0-9]{3}[0-9A-Y]", "fi.hetu se.personnummer"),
    (r"[0-9]{6}-[0-9]{7}", "kr.rrn"),
    (r"[0-9]{6}/[0-9]{3,4}", "cz.rc"),
    (r"[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", "fr.nir"),
    (r"[1-9][0-9]{16}[0-9Xx]", "cn.ric"),
    (r"[0-9]{8}-?[A-HJ-NP-TV-Z]", "es.dni"),
    (r"[XYZ]-?[0-9]{7}-?[A-HJ-NP-TV-Z]", "es.nie"),
    (r"[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]", "it.codicefiscale"),
    (r"[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[A-Z0-9][0-9]", "mx.curp"),
    (
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?[0-9]{2}){3} ?[A-D]",
        "",
    ),  # UK: NINO
)
# Numbers that look like any other: only under a name of an id, and if one of these accepts them.
_BARE_NAMES: Final = (
    "at.vnr au.tfn be.nn bg.egn br.cpf ca.sin ch.ssn cz.rc de.idnr dk.cpr ee.ik fr.nir gb.nhs gr.amka hr.oib id.nik "
    "ie.pps il.idnr in_.aadhaar in_.pan is_.kennitala jp.in_ kr.rrn lt.asmens nl.bsn no.fodselsnummer pl.pesel pt.cc "
    "ro.cnp se.personnummer si.emso th.pin tr.tckimlik us.ssn us.itin za.idnr"
)
BARE: Final = tuple(_BARE_NAMES.split())
_BEGIN: Final = re.compile(r"[0-9A-Z](?<![\w.+-].)(?=[0-9A-Z. -])")
_ANY_FORM: Final = re.compile(
    "(?:" + "|".join(f"(?P<f{number}>{form})" for number, (form, _) in enumerate(FORMS)) + r")(?![\w]|[.,/-][0-9])"
)
_ANY_BARE: Final = re.compile(r"[0-9A-Z](?<![\w.,+-].)(?:[ .-]?[0-9]){5,17}(?:[ -]?[0-9A-Z]{1,4})?(?![\w]|[.,-][0-9])")
_NAME: Final = names(
    r"ssn|itin|tin|social[ _-]?security(?:[ _-]?(?:number|no|nr))?|national[ _-]?(?:id|identity|insurance)\w*|"
    r"(?:personal|identity|identification|citizen)[ _-]?(?:id|number|no|nr|code|card)\w*|id[ _-]?(?:number|card)|"
    r"tax[ _-]?(?:payer[ _-]?)?(?:id|number|no|file)\w*|steuer\w*|idnr|sozialversicherung\w*|svnr|ahv|avs|bsn|"
    r"burgerservicenummer|pesel|aadhaar|aadhar|pan|nino?|nhs|sin|social[ _-]?insurance\w*|tfn|dni|nie|nif|cpf|curp|rut|"
    r"codice[ _-]?fiscale|nir|insee|personnummer|fodselsnummer|fødselsnummer|cpr|hetu|henkil[öo]tunnus|cnp|egn|oib|"
    r"isikukood|asmens[ _-]?kodas|rodn[eé][ _-]?[cč][ií]slo|t\.?c\.?[ _-]?kimlik\w*|teudat[ _-]?zehut|pps|kennitala|"
    r"amka|emso|my[ _-]?number|nik|rijksregister\w*|cartao[ _-]?de[ _-]?cidadao"
)
_SSN: Final = re.compile(r"(?!000|666)[0-9]{3}[ -]?(?!00)[0-9]{2}[ -]?(?!0000)[0-9]{4}")


def national_ids(text: str, name: str, pause: Pause | None) -> Iterator[Finding]:
    """Each id in a form of its own, and each number under a name of an id that some country's rules accept."""
    for begin in matches(_BEGIN, text, pause):
        match = _ANY_FORM.match(text, begin.start())
        if match is None:
            continue
        modules = FORMS[int((match.lastgroup or "f0")[1:])][1].split()
        if not modules or any(_is_valid(module, match[0]) for module in modules):
            yield Finding(*match.span(), "national_id", _compact(match[0]))
    for match in matches(_ANY_BARE, text, pause):
        if is_named(_NAME, name, text, match.start()) and _is_id(match[0]):
            yield Finding(*match.span(), "national_id", _compact(match[0]))


def _is_id(text: str) -> bool:
    return _SSN.fullmatch(text) is not None or any(_is_valid(module, text) for module in BARE)


def _is_valid(module: str, text: str) -> bool:
    return bool(validator(module)(text))


@cache
def validator(module: str) -> Callable[[str], Any]:
    """The function of a module of stdnum that tells whether a number is valid."""
    found: Any = import_module(f"stdnum.{module}")
    return found.is_valid  # type: ignore[no-any-return]


def _compact(text: str) -> str:
    return re.sub(r"[\s./-]", "", text).upper()
