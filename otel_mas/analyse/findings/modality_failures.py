"""Failures that come with a modality of the input: images, sound, video, files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from otel_mas.analyse.failures import ErrorOutcome
from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.proportions import fisher_p
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import attributes as names

_TEXT = "text"
_SHOWN = 5


def modality_failures(facts: RunFacts) -> Iterator[Finding]:
    """Calls of a model, or tasks of a node, failed where their input had images, sound, video or files, and hardly
    where it had not: more than chance explains, by Fisher's exact test over the calls of the same model in one run.
    Attempts with the same input count once. Nothing is said where all inputs are of one modality, or few calls failed.
    """
    failed = frozenset(facts.error_outcomes)
    units: dict[tuple[str, str], list[Span]] = {}
    for call in facts.model_calls:
        model = call.columns.get(names.GEN_AI_REQUEST_MODEL) or call.columns.get(names.GEN_AI_RESPONSE_MODEL)
        units.setdefault(("calls of", str(model or call.name)), []).append(call)
    for task in facts.tasks:
        units.setdefault(("tasks of", task.task_name or task.name), []).append(task)
    tests = []
    for (what, name), spans in units.items():
        if not any((span.trace_id, span.span_id) in failed for span in spans):
            continue
        distinct = list(_distinct(facts, spans))
        kinds = {kind for _, modalities in distinct for kind in modalities if kind != _TEXT}
        tests += [(what, name, kind, distinct) for kind in sorted(kinds)]
    for what, name, kind, distinct in tests:
        found = [(span, (span.trace_id, span.span_id) in failed, kind in kinds) for span, kinds in distinct]
        yield from _tested(facts, what, name, kind, found, len(tests))


def _distinct(facts: RunFacts, spans: Iterable[Span]) -> Iterator[tuple[Span, frozenset[str]]]:
    """Spans with the modalities of their input, the last one of those that read the same."""
    last: dict[object, Span] = {}
    for span in spans:
        read = facts.read(span)
        last[(facts.who(span), *read) if read else span.span_id] = span
    for span in last.values():
        kinds = span.get(names.MAS_INPUT_MODALITIES)
        if isinstance(kinds, list | tuple) and kinds:
            yield span, frozenset(map(str, kinds))


def _tested(
    facts: RunFacts, what: str, name: str, kind: str, found: Sequence[tuple[Span, bool, bool]], tests: int
) -> Iterator[Finding]:
    """The finding, if it is one.

    Args:
        found: spans, whether each failed, and whether its input had the modality.
        tests: the number of such questions about the run, by which p is multiplied (Bonferroni).
    """
    with_it = [failed for _, failed, has in found if has]
    without = [failed for _, failed, has in found if not has]
    if not without or sum(with_it) / len(with_it) <= sum(without) / len(without):
        return
    p = tests * fisher_p(sum(with_it), len(with_it), sum(without), len(without))
    if p >= facts.thresholds.modality_p:
        return
    culprits = [span for span, failed, has in found if failed and has]
    ended = ErrorOutcome.ENDED_THE_RUN in {facts.error_outcomes[span.trace_id, span.span_id] for span in culprits}
    yield Finding(
        code="modality-failures",
        severity=Severity.ERROR if ended else Severity.WARNING,
        confidence=min(0.95, 1 - p),
        summary=f"{sum(with_it)} of {len(with_it)} {what} {name} failed whose input had {kind}, "
        f"and {sum(without)} of {len(without)} whose input had not",
        subject=f"{name}: {kind}",
        spans=ids(culprits[:_SHOWN]),
        rests_on=("recorded", "inferred"),
        advice=f"check what {name} accepts of {kind}: kind, size and form; or convert it before, or send it elsewhere",
    )


__all__ = ["modality_failures"]
