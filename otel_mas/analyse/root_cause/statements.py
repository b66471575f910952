"""Statements without ground: made-up data, look-ups that nobody made, numbers that nothing read has.

The words are those of English for making up and for looking up; no name, question or phrase of any data set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from otel_mas.analyse.root_cause.acts import Acts
from otel_mas.analyse.root_cause.answer import Provenance, Share
from otel_mas.analyse.root_cause.evidence import Evidence

_INVENTED = re.compile(
    r"\b(?:hypothetical(?:ly)?|simulat(?:e|ed|es|ing|ion)|fictional|made[- ]up|placeholders?|dummy|"
    r"mock(?:ed|[- ]?up)?|fake|"
    r"(?:sample|example|synthetic|illustrative) (?:data|datasets?|values?|files?|ids?|lists?)|lorem ipsum)\b|"
    r"\b(?:your|example|sample|dummy)_\w+|\bexample\.(?:com|org)\b|path/to",
    re.IGNORECASE,
)
_INVENTED_PARTS = (
    *("hypothetical", "simulat", "fictional", "made", "placeholder", "dummy", "mock", "fake", "lorem ipsum"),
    *("sample", "example", "synthetic", "illustrative", "your_", "path/to"),
)
"""Each match has one of them in it, in small letters, which is found sooner."""
_ASSUMED_PARTS = ("assum", "suppos", "presum")
_ASSUMED = re.compile(r"\b(?:assum(?:e|es|ed|ing|ption)|suppos(?:e|ed|ing)|presum(?:e|ed|ably))\b", re.IGNORECASE)
_LOOKED_UP = re.compile(
    r"\b(?:(?:I|we) (?:have |'ve )?(?:successfully )?"
    r"(?:retrieved|accessed|checked|looked up|reviewed|verified|searched|"
    r"confirmed|watched|listened|read|consulted|downloaded|visited|obtained|examined|inspected)|"
    r"(?:after|upon) (?:\w+ )?(?:check|look|review|verif|search|watch|listen|read|consult|visit|examin|inspect)\w*)\b",
    re.IGNORECASE,
)
_SHOWN = 3


def made_up_evidence(acts: Acts, shares: Mapping[int, Share]) -> Iterator[Evidence]:
    """Acts that put made-up data in the place of what was asked for; most where the answer rests on it.

    Words that somebody wrote before are no evidence against who repeats them.
    """
    known = _phrases(_INVENTED, _INVENTED_PARTS, "\n".join((*acts.task, *(text for _, text in acts.prompts))))
    for act in acts:
        made_up = _phrases(_INVENTED, _INVENTED_PARTS, act.wrote)
        invented = _listed(made_up - known)
        known |= made_up
        if act.speaks:
            if invented:
                weight = 0.4 + 0.5 * (shares[act.number].share if act.number in shares else 0.0)
                yield Evidence(act.number, weight, f"makes up what it should have found out: {invented}")
            elif assumed := _listed(_phrases(_ASSUMED, _ASSUMED_PARTS, act.wrote)):
                yield Evidence(act.number, 0.15, f"assumes what it could have found out: {assumed}")


def unmade_lookup_evidence(acts: Acts) -> Iterator[Evidence]:
    """Acts that say they have looked something up though no call of a tool led to them."""
    for act in acts:
        match = _LOOKED_UP.search(act.wrote) if act.speaks else None
        if match is not None and not any(call.is_call for call in (*acts.causes(act), *acts.before_within(act))):
            yield Evidence(act.number, 0.2, f"says {match.group()!r}, but no call led to it")


def unread_number_evidence(acts: Acts, provenance: Provenance) -> Iterator[Evidence]:
    """Acts that follow a call and state numbers that neither it nor anything before had."""
    for act in acts:
        if act.speaks and any(cause.is_call for cause in acts.causes(act)):
            new = [value for value in provenance.new(act) if _is_number(value)]
            if new:
                yield Evidence(act.number, 0.2, f"states {', '.join(new[:_SHOWN])}, which nothing before it has")


def _phrases(pattern: re.Pattern[str], parts: Sequence[str], text: str) -> set[str]:
    small = text.lower()
    if not any(part in small for part in parts):
        return set()
    return {" ".join(match.group().lower().split()) for match in pattern.finditer(text)}


def _listed(phrases: set[str]) -> str:
    return ", ".join(sorted(phrases)[:_SHOWN])


def _is_number(value: str) -> bool:
    return value.lstrip("-").replace(".", "", 1).isdigit()


__all__ = ["made_up_evidence", "unmade_lookup_evidence", "unread_number_evidence"]
