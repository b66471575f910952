"""Model calls that two instrumentations recorded: the spans of other code that duplicate ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from otel_mas.model import Span
from otel_mas.semconv import attributes as names

_TOKENS: Final = (names.GEN_AI_USAGE_INPUT_TOKENS, names.GEN_AI_USAGE_OUTPUT_TOKENS)


def duplicate_calls(calls: Sequence[Span]) -> set[Span]:
    """Those of other code that describe a call which one of ours describes, none of them inside the other.

    A span of ours has at most one such twin for each instrumentation scope: the same response where both name one, else
    the same model at the same time, as instrumentation that listens to the same callbacks has it.
    """
    ours: dict[str, list[Span]] = {}
    theirs: dict[tuple[str, str], list[Span]] = {}
    with_ours = {call.trace_id for call in calls if not call.is_foreign}
    for call in calls:
        if _is_ours(call, call.trace_id in with_ours):
            ours.setdefault(call.trace_id, []).append(call)
        else:
            theirs.setdefault((call.trace_id, call.scope.name), []).append(call)
    found: set[Span] = set()
    for (trace_id, _), others in theirs.items():
        found |= _twins(others, ours.get(trace_id, ()))
    return found


def _is_ours(call: Span, with_ours: bool) -> bool:
    """Whether a call stands for ours: one of our own, or of the instrumentation that ours are left to.

    Args:
        with_ours: whether its trace has calls of our own. Without, those that the source could tell for calls stand.
    """
    if call.record_kind is None:
        return False
    return not call.is_foreign or not with_ours or names.MAS_INSTANCE_ID in call.resource.attributes


def _twins(others: Iterable[Span], ours: Sequence[Span]) -> set[Span]:
    by_response: dict[str, list[Span]] = {}
    for call in ours:
        by_response.setdefault(_response(call), []).append(call)
    found: set[Span] = set()
    unnamed: list[Span] = []
    free = set(ours)
    for other in others:
        same = [call for call in by_response.get(_response(other), ()) if call in free] if _response(other) else []
        if same:
            free.remove(min(same, key=lambda call: abs(call.start_ns - other.start_ns)))
            found.add(other)
        else:
            unnamed.append(other)
    for other in sorted(unnamed, key=lambda span: span.start_ns):
        near = [call for call in free if _same_time(call, other) and _same_model(call, other)]
        if near:
            free.remove(min(near, key=lambda call: abs(call.start_ns - other.start_ns)))
            found.add(other)
    return found


def _response(span: Span) -> str:
    return str(span.get(names.GEN_AI_RESPONSE_ID) or "")


def _same_time(one: Span, other: Span) -> bool:
    """Whether they overlap for half of the longer one at least, or one lies in the other and used as many tokens.

    Not where two responses are named.
    """
    if _response(one) and _response(other):
        return False
    common = min(one.last_ns, other.last_ns) - max(one.start_ns, other.start_ns)
    shorter, longer = sorted((one.duration_ns, other.duration_ns))
    return common >= 0 and (2 * common >= longer or (common == shorter and _same_tokens(one, other)))


def _same_tokens(one: Span, other: Span) -> bool:
    counts = [[span.columns.get(name) for name in _TOKENS] for span in (one, other)]
    return counts[0] == counts[1] and None not in counts[0]


def _same_model(one: Span, other: Span) -> bool:
    """Whether both name the same model, or one of them does not say. Some name the one that answered, with its date."""
    wanted, also = (span.columns.get(names.GEN_AI_REQUEST_MODEL) for span in (one, other))
    if wanted is None or also is None:
        return True
    return str(wanted).startswith(str(also)) or str(also).startswith(str(wanted))


__all__ = ["duplicate_calls"]
