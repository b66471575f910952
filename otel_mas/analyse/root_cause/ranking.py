"""Ranking of acts by the evidence against them.

The root cause is the first act that went wrong: without it, the rest would not have gone wrong in this way. So an act's
score is the probability that it went wrong, `1 - (1 - p0) (1 - w1) (1 - w2) ...`, times that of each act before it not
to have; `w` are the weights of the evidence, `p0` is what is known without any. Of a run that was late, its
share of the delay is the score of an act.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from otel_mas.analyse.complaints import Complaint, ComplaintLabel
from otel_mas.analyse.content import RunContent
from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.answer import Provenance, answer_evidence, answer_shares
from otel_mas.analyse.root_cause.arrivals import arrival_evidence
from otel_mas.analyse.root_cause.calls import change_evidence, unrelated_documents_evidence, useless_call_evidence
from otel_mas.analyse.root_cause.complained import complaint_evidence
from otel_mas.analyse.root_cause.errors import ended_the_run, error_evidence
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.analyse.root_cause.handing_on import handing_on_evidence
from otel_mas.analyse.root_cause.lateness import lateness_evidence
from otel_mas.analyse.root_cause.outputs import output_evidence
from otel_mas.analyse.root_cause.statements import (
    made_up_evidence,
    unmade_lookup_evidence,
    unread_number_evidence,
)
from otel_mas.causal import CausalGraph

_OWN = 0.1
"""Probability that an act in which an agent or a model says something went wrong, without any evidence; of many acts
less, so that one of them is expected to."""
_RELAYED = 0.5
"""The part of it for people, and for acts that hand on the task as it was given."""
_SILENT = 0.001
"""The same of calls and of tasks that say nothing themselves."""
_LOCATED = 0.05
"""Share of these that counts where the complaint itself says where the fault shows."""
_BESIDE = 0.5
"""Share of the weight of other evidence that counts where the complaint is about one span."""


@dataclass(frozen=True, slots=True)
class RootCause:
    """A span that may be the root cause."""

    span: str
    """Its id."""
    agent: str | None
    """The agent at work in it, or the task."""
    score: float
    """0 to 1; the scores of all spans of a run add up to 1."""
    reasons: tuple[str, ...]
    """The evidence against it in words, the weightiest first, each without a period; none where it only came early."""


def root_cause(graph: CausalGraph, content: RunContent, *, complaint: Complaint | None = None) -> list[RootCause]:
    """The spans that may be the root cause, the most probable one first.

    Args:
        graph: of a trace, or of a conversation.
        content: of the same. Without any, errors and delays are ranked all the same, wrong answers only by order.
        complaint: Without one, only errors that ended the run are explained.

    Returns:
        All acts with a score, the best first; none for a run against which nothing speaks.
    """
    failed = ended_the_run(graph.spans)
    if complaint is None and not failed:
        return []
    acts = Acts(graph, content)
    if complaint is not None and complaint.label is ComplaintLabel.LATE:
        return _ranked(acts, _shares_of_delay(acts))
    provenance = Provenance(acts)
    if failed:
        return _ranked(acts, _first_mistakes(acts, list(error_evidence(acts, provenance)), prior=0.0))
    named = [] if complaint is None else list(complaint_evidence(acts, provenance, complaint))
    others = list(_of_answer(acts, provenance))
    if complaint is not None and complaint.span is not None:
        others = [one._replace(weight=one.weight * _BESIDE) for one in others]
    return _ranked(acts, _first_mistakes(acts, [*named, *others], prior=_LOCATED if named else 1.0))


def _of_answer(acts: Acts, provenance: Provenance) -> Iterator[Evidence]:
    shares = answer_shares(acts, provenance)
    yield from answer_evidence(shares.values())
    yield from useless_call_evidence(acts)
    yield from unrelated_documents_evidence(acts)
    yield from output_evidence(acts)
    yield from handing_on_evidence(acts)
    yield from arrival_evidence(acts)
    yield from change_evidence(acts)
    yield from made_up_evidence(acts, shares)
    yield from unmade_lookup_evidence(acts)
    yield from unread_number_evidence(acts, provenance)


_Scores = dict[int, tuple[float, list[Evidence]]]


def _first_mistakes(acts: Acts, evidence: list[Evidence], *, prior: float) -> _Scores:
    """By act the probability that it was the first to go wrong, and the evidence for that.

    `prior` is the share that counts of what is known of an act without any evidence.
    """
    against: dict[int, list[Evidence]] = defaultdict(list)
    for one in evidence:
        against[one.act].append(one)
    scores: _Scores = {}
    none_before = 1.0
    own = min(_OWN, 1 / max(1, sum(act.speaks for act in acts)))
    for act in acts:
        right = 1 - prior * _prior(act, own)
        for one in against[act.number]:
            right *= 1 - one.weight
        scores[act.number] = none_before * (1 - right), against[act.number]
        none_before *= right
    return scores


def _prior(act: Act, own: float) -> float:
    return own if act.speaks else own * _RELAYED if act.is_person or act.instructs else _SILENT


def _shares_of_delay(acts: Acts) -> _Scores:
    return {one.act: (one.weight, [one]) for one in lateness_evidence(acts)}


def _ranked(acts: Acts, scores: _Scores) -> list[RootCause]:
    total = sum(score for score, _ in scores.values())
    return [
        RootCause(acts[number].span.span_id, acts[number].agent, score / total, _reasons(acts[number], evidence))
        for number, (score, evidence) in sorted(scores.items(), key=lambda item: (-item[1][0], item[0]))
        if score > 0
    ]


def _reasons(act: Act, evidence: list[Evidence]) -> tuple[str, ...]:
    ordered = sorted(evidence, key=lambda one: -one.weight)
    return tuple(dict.fromkeys(one.reason for one in ordered))


__all__ = ["RootCause", "root_cause"]
