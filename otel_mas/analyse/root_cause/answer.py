"""Provenance of the answer: which acts wrote first what it states, and what these rested on in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.analyse.root_cause.values import is_telling, values_in

_ON = 0.5
"""Share of the blame that goes from the first writer of a value to those whose values it used."""
_WEIGHT = 0.2
"""Every answer leads back to somebody, right ones as well: little by itself."""
_LEAST = 0.05
_SHOWN = 3


class Provenance:
    """First writers of the values in a run, but for those that it was given."""

    def __init__(self, acts: Acts) -> None:
        self.writers: dict[str, int] = {}
        texts = {text for act in acts for text in (act.wrote, act.arguments)}
        by_text = {text: values_in(text) for text in texts}  # tools and states repeat what others wrote
        found = [by_text[act.wrote] | by_text[act.arguments] for act in acts]
        given = _given(acts, found)
        self.used = [values - given for values in found]
        """Values that each act wrote or put into arguments."""
        for number, values in enumerate(self.used):
            for value in values:
                self.writers.setdefault(value, number)

    def carried(self, act: Act) -> list[str]:
        """Values that an act repeats from earlier ones."""
        return sorted(value for value in self.used[act.number] if self.writers[value] < act.number)

    def new(self, act: Act) -> list[str]:
        """Values that nobody wrote before this act."""
        return sorted(value for value in self.used[act.number] if self.writers[value] == act.number)


def _given(acts: Acts, found: Sequence[frozenset[str]]) -> set[str]:
    """Values that came from outside: with the task, from people, and in prompts before any act had written them."""
    outside = [*acts.task, *(act.wrote for act in acts if act.is_person or act.instructs)]
    given = {value for text in outside for value in values_in(text)}
    first: dict[str, int] = {}
    for act, values in zip(acts, found, strict=True):
        for value in values:
            first.setdefault(value, act.span.last_ns)
    for at_ns, text in acts.prompts:
        given.update(value for value in values_in(text) if first.get(value, at_ns + 1) > at_ns)
    return given


@dataclass(frozen=True, slots=True)
class Share:
    """The part of the answer that leads back to one act."""

    act: int
    share: float
    """0 to 1, of all that the answer repeats."""
    by_call: float
    """The part of it that a call brought which this act asked for."""
    values: tuple[str, ...]
    """Values of the answer that it wrote first."""


def answering(acts: Acts, provenance: Provenance) -> Act | None:
    """The act that gave the answer: the last that says something new with a value in it. None where calls came last."""
    first: dict[str, int] = {}
    for act in acts:
        first.setdefault(act.wrote.strip(), act.number)
    spoken = [act for act in acts if act.speaks and first[act.wrote.strip()] == act.number]
    stating = [act for act in spoken if provenance.used[act.number]] or spoken
    if not stating or stating[-1].asks or any(act.is_call and act.number > stating[-1].number for act in acts):
        return None
    return stating[-1]


def answer_shares(acts: Acts, provenance: Provenance) -> dict[int, Share]:
    """By act the part of the answer that leads back to it, over the values that it states, to their first writers.

    Of a call the act that asked for it stands in. Half of what an act wrote first goes on to the acts whose values it
    used for that. Empty for a run that gave no answer, or one without a value in it.
    """
    last = answering(acts, provenance)
    if last is None or not provenance.used[last.number]:
        return {}
    carried = provenance.carried(last)
    blame, called, kept = ([0.0] * len(acts) for _ in range(3))
    wrote: dict[int, list[str]] = {}
    for value in carried:
        blame[provenance.writers[value]] += 1 / len(carried)
        wrote.setdefault(provenance.writers[value], []).append(value)
    if not carried:
        blame[last.number] = 1.0
    for number in range(last.number, -1, -1):
        act = acts[number]
        onto, share = _rests_on(act, provenance) if blame[number] else ({}, 0.0)
        kept[number] = blame[number] * (1 - share)
        for source, part in onto.items():
            blame[source] += blame[number] * share * part
            called[source] += blame[number] * share * part if act.is_call else 0.0
    return {
        number: Share(number, share, min(called[number], share), tuple(sorted(wrote.get(number, ()), key=len)))
        for number, share in enumerate(kept)
        if share > _LEAST
    }


def answer_evidence(shares: Iterable[Share]) -> Iterator[Evidence]:
    """Acts that the answer leads back to; less where a call brought what it states."""
    for one in shares:
        telling = [value for value in one.values if is_telling(value)]
        named = f": first wrote {', '.join(telling[:_SHOWN])}" if telling else ""
        weight = _WEIGHT * (one.share - one.by_call / 2)
        yield Evidence(one.act, weight, f"{one.share:.0%} of what the answer repeats leads back to it{named}")


def _rests_on(act: Act, provenance: Provenance) -> tuple[dict[int, float], float]:
    """Earlier acts that an act rests on, each with its part, and the share of the blame that goes to them all."""
    if act.is_call:
        known = act.caller is not None and act.caller < act.number
        return ({act.caller: 1.0}, 1.0) if known and act.caller is not None else ({}, 0.0)
    sources = Counter(provenance.writers[value] for value in provenance.carried(act))
    total = sum(sources.values())
    if not total:
        return {}, 0.0
    return {number: count / total for number, count in sources.items()}, _ON * total / len(provenance.used[act.number])


__all__ = ["Provenance", "Share", "answer_evidence", "answer_shares", "answering"]
