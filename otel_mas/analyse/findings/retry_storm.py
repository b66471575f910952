"""Calls that were tried again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from otel_mas.analyse.findings.facts import RunFacts, ids, kind_of
from otel_mas.analyse.findings.retries import Tries, failed_tries
from otel_mas.model import Finding, Severity
from otel_mas.model.amounts import duration
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names


def retry_storm(facts: RunFacts) -> Iterator[Finding]:
    """The same call failed many times in a row: attempts of a node, a model call with the same messages, a tool call
    with the same arguments, a request inside one of these. Retries at several levels multiply, and are counted together
    at the innermost. Calls side by side, and a few retries as LangGraph and providers' clients make them, are none.
    """
    storms = [tries for tries in facts.once(failed_tries) if len(tries.failed) >= facts.thresholds.retry_storm_calls]
    inside = _tasks_of_calls(facts, storms)
    for tries in storms:
        first = tries.failed[0]
        if kind_of(first) == RecordKind.AGENT_TASK and first.task_id in inside:
            continue
        who = facts.who(first)
        named = tries.what if tries.what == who else f"{tries.what} of {who}"
        ended = "then worked" if tries.worked is not None else "never worked"
        errors = sorted({str(one.columns.get(names.ERROR_TYPE) or "error").rpartition(".")[2] for one in tries.failed})
        yield Finding(
            code="retry-storm",
            severity=Severity.WARNING,
            confidence=1.0,
            summary=f"{named} failed {len(tries.failed)} times in a row within {duration(tries.lost_ns)} "
            f"({', '.join(errors)}) and {ended}",
            subject=f"{who}: {tries.what}",
            spans=ids([*tries.failed, *([] if tries.worked is None else [tries.worked])]),
            saves_ns=tries.lost_ns,
            advice="retry at one level only (RetryPolicy, with_retry or the client's max_retries), a few times, with "
            "backoff, and not after errors that stay",
        )


def _tasks_of_calls(facts: RunFacts, storms: Sequence[Tries]) -> frozenset[str]:
    """Ids of the tasks in which calls were tried again and again."""
    calls = (one for tries in storms for one in tries.failed if kind_of(one) != RecordKind.AGENT_TASK)
    tasks = (facts.task(call) for call in calls)
    return frozenset(task.task_id for task in tasks if task is not None and task.task_id is not None)


__all__ = ["retry_storm"]
