"""Evidence that a complaint itself gives: the span that it is about, and the values that it names."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.complaints import Complaint
from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.answer import Provenance, answering
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.analyse.root_cause.values import values_in
from otel_mas.semconv import RecordKind

_MARKED = 0.8
_STATED = 0.5
"""The complaint repeats a value of the answer: that one is most likely what is wrong."""
_LOST = 0.4
_SHORTEST, _LONGEST = 8, 60
"""Characters of a text that is looked for as a whole: no word that is everywhere, and no sentence."""
_LEAST = 2
"""Characters of a value that is looked for although the answer does not state it; a single digit is everywhere."""


def complaint_evidence(acts: Acts, provenance: Provenance, complaint: Complaint) -> Iterator[Evidence]:
    """The act that was marked, who first wrote a value that the complaint repeats, and who did not pass one on."""
    if complaint.span is not None:
        marked = next((act for act in acts if act.span.span_id == complaint.span), None)
        if marked is not None:
            yield Evidence(marked.number, _MARKED, f"was marked as {complaint.label}")
    last = answering(acts, provenance)
    for value in sorted(values_in(complaint.reason or "") & provenance.writers.keys()):
        writer = provenance.writers[value]
        if last is not None and value in provenance.used[last.number]:
            yield Evidence(writer, _STATED, f"first wrote {value}, which the answer states and the complaint names")
        elif len(value) >= _LEAST:
            yield from _lost(acts, max(n for n, values in enumerate(provenance.used) if value in values), value)
    yield from _of_text(acts, last, " ".join((complaint.reason or "").split()))


def _of_text(acts: Acts, last: Act | None, text: str) -> Iterator[Evidence]:
    """The same for a complaint that is nothing but a text which somebody wrote, such as an item of a list."""
    if not _SHORTEST <= len(text) <= _LONGEST or values_in(text):
        return
    wrote = [act.number for act in acts if text.casefold() in " ".join(act.wrote.split()).casefold()]
    if wrote and (last is None or last.number not in wrote):
        yield from _lost(acts, wrote[-1], text)


def _lost(acts: Acts, holder: int, value: str) -> Iterator[Evidence]:
    """Evidence against the last model that read a value and does not state it, else against the act that came next."""
    seen = acts[holder].agent or acts[holder].span.name
    reader = next((act for act in reversed(acts) if act.number > holder and _read(acts, act, value)), None)
    if reader is not None:
        yield Evidence(reader.number, _LOST, f"read {value}, which the complaint names, and does not state it")
        return
    after = next((act for act in acts if _follows(acts, act, acts[holder])), None)
    if after is not None:
        yield Evidence(after.number, _LOST, f"does not pass on {value}, which the complaint names; last seen in {seen}")


def _read(acts: Acts, act: Act, value: str) -> bool:
    """Whether a model read a value, or a text that is none as a whole."""
    if act.span.record_kind != RecordKind.LLM_CALL:
        return False
    text = "\n".join(acts.read_by(act))
    return value in values_in(text) or value.casefold() in " ".join(text.split()).casefold()


def _follows(acts: Acts, act: Act, holder: Act) -> bool:
    """Whether an act was caused by the one that had the value, or by a task around that one."""
    causes = {cause.number for cause in acts.causes(act)}
    return bool(causes) and act.number > holder.number and not causes.isdisjoint(_around(acts, holder))


def _around(acts: Acts, act: Act) -> set[int]:
    return {act.number, *(one.number for one in acts.around(act.span))}


__all__ = ["complaint_evidence"]
