"""Errors: where they happened, and who wrote what they are about. Those that were dealt with are no cause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from otel_mas.analyse.failures import ErrorOutcome, error_outcomes
from otel_mas.analyse.root_cause.acts import Act, Acts
from otel_mas.analyse.root_cause.answer import Provenance
from otel_mas.analyse.root_cause.evidence import Evidence
from otel_mas.analyse.root_cause.outputs import output_evidence
from otel_mas.analyse.root_cause.values import is_telling, values_in
from otel_mas.model import Span
from otel_mas.semconv import attributes as names

_WEIGHTS = {ErrorOutcome.ENDED_THE_RUN: 0.6, ErrorOutcome.UNKNOWN: 0.3}
_NOT_OF_A_VALUE = re.compile(
    r"time[d ]?-?out|rate.?limit|\b429\b|\b50[0234]\b|connection|connect error|unreachable|refused|reset by peer|"
    r"unavailable|overloaded|quota|authentication|permission|unauthorized|forbidden|"
    r"KeyError|IndexError|AttributeError|NoneType|missing|required|not defined",
    re.IGNORECASE,
)
"""Errors of what a call depends on, whatever it was given, and of what is not there: no value is to blame."""
_URL = re.compile(r"\bhttps?://\S+")
"""Addresses of manuals (pydantic's, with its version), which libraries add to their errors."""
_OF_READING = re.compile(r"JSON|Pars|Validation|Decode|Syntax|Value|Key|Index|Type")
"""In types of errors: what happens to code that reads half an answer."""
_LIMIT = "GraphRecursionError"
_ABOUT = 0.75
_SHOWN = 3


def ended_the_run(spans: Sequence[Span]) -> bool:
    """Whether an error ended the run, or may have."""
    return any(outcome in _WEIGHTS for outcome in error_outcomes(spans).values())


def error_evidence(acts: Acts, provenance: Provenance) -> Iterator[Evidence]:
    """The spans of errors that ended the run, and before them those who wrote the values that the errors name, or whose
    output was useless.
    """
    ending: set[tuple[str, str]] = set()
    for (_, span_id), outcome in error_outcomes(acts.graph.spans).items():
        act = acts.of(span_id)
        if act is None or outcome not in _WEIGHTS:
            continue
        kind, message = str(act.span.get(names.ERROR_TYPE) or "error"), acts.content.error_message(act.span) or ""
        if outcome is ErrorOutcome.ENDED_THE_RUN:
            ending.add((kind, message))
        elif (kind, message) in ending:  # raised again further out
            outcome = ErrorOutcome.ENDED_THE_RUN
        weight = _WEIGHTS[outcome]
        ended = "ended the run" if outcome is ErrorOutcome.ENDED_THE_RUN else "happened in a run that failed"
        yield Evidence(act.number, weight, f"{kind} {ended}" + (f": {message[:120]}" if message else ""))
        if not _NOT_OF_A_VALUE.search(f"{kind} {message}"):
            yield from _writers(act, message, weight, acts, provenance)
        yield from _useless_before(act, kind, acts)


def _useless_before(act: Act, kind: str, acts: Acts) -> Iterator[Evidence]:
    """Outputs that were cut off, or are no data, before an error of reading them, or in rounds up to the limit."""
    limited = kind.endswith(_LIMIT)
    if not limited and not _OF_READING.search(kind.rpartition(".")[2]):
        return
    near = {cause.number for cause in (act, *acts.around(act.span), *acts.causes(act))}
    last = {(one.agent, one.span.name): one.number for one in acts}
    useless = [one for one in output_evidence(acts) if one.act <= act.number and acts[one.act].span is not act.span]
    never_better = {(acts[one.act].agent, acts[one.act].span.name) for one in useless if one.act in last.values()}
    for one in useless:
        earlier = acts[one.act]
        inside = {one.act, *(outer.number for outer in acts.around(earlier.span))}
        if (earlier.agent, earlier.span.name) in never_better if limited else not inside.isdisjoint(near):
            yield one


def _writers(act: Act, message: str, weight: float, acts: Acts, provenance: Provenance) -> Iterator[Evidence]:
    """Earlier acts that wrote a value which the error names; of one that came with a call, who asked for it."""
    named: dict[int, list[str]] = {}
    for value in sorted(values_in(_URL.sub(" ", message))):
        number = provenance.writers.get(value, act.number) if is_telling(value) else act.number
        if number < act.number and not _encloses(acts[number], act, acts) and not _same_node(acts[number], act):
            named.setdefault(number, []).append(value)
    if act.caller is not None and act.arguments:
        wanted = [value for value in values_in(message) if value in values_in(act.arguments)]
        if wanted:
            named.setdefault(act.caller, []).extend(wanted)
    for number, values in named.items():
        # More than where it happened: without the value there would have been no error.
        listed = ", ".join(sorted(set(values))[:_SHOWN])
        yield Evidence(number, weight + (1 - weight) * _ABOUT, f"wrote {listed}, which the error is about")


def _same_node(one: Act, other: Act) -> bool:
    """Whether one is an earlier task of the other's node, which wrote of the error that it had met before."""
    name = one.span.task_name
    return name is not None and (name, one.span.parent_span_id) == (other.span.task_name, other.span.parent_span_id)


def _encloses(outer: Act, inner: Act, acts: Acts) -> bool:
    return outer.span.span_id == inner.span.parent_span_id


__all__ = ["ended_the_run", "error_evidence"]
