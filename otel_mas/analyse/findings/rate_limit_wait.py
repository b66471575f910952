"""Time lost since a provider allowed no more requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from otel_mas.analyse.findings.facts import RunFacts, ids
from otel_mas.analyse.findings.retries import Tries, failed_tries
from otel_mas.model import Finding, Severity, Span, SpanKind
from otel_mas.model.amounts import duration
from otel_mas.semconv import attributes as names

_TYPE = re.compile(r"RateLimit|TooManyRequests|ResourceExhausted|Throttl|\b429\b", re.IGNORECASE)
_MESSAGE = re.compile(
    r"\b(?:http|status|code|error)\b\W{0,12}(?:code\W{0,4})?429\b|\b429\b\W{0,3}too many requests|"
    r"\brate[ -_]?limit(?:ed\b| (?:is |was |has been )?(?:reached|exceeded))|ThrottlingException|RESOURCE_EXHAUSTED",
    re.IGNORECASE,
)

_STATUS = ("http.response.status_code", "http.status_code")
"""Attributes of requests in OpenTelemetry's conventions, the present one and the one until 2023."""
_TOO_MANY = 429


@dataclass
class _Limited:
    """Calls of one model, tool or node by one agent that a rate limit refused."""

    spans: list[Span] = field(default_factory=list)
    worked: list[Span] = field(default_factory=list)
    lost_ns: int = 0


def rate_limit_wait(facts: RunFacts) -> Iterator[Finding]:
    """Calls were refused by a rate limit (HTTP 429, `RateLimitError` and the like), and time was lost until one worked:
    the refused calls and the waits after them. An error where the run failed of it; a short wait, or another model that
    took over, is only worth knowing. Retries inside a provider's client are seen where its requests have spans.
    """
    refused = {span.span_id for span in facts.errors if _is_limited(facts, span)}
    if not refused:
        return
    found: dict[tuple[str, str], _Limited] = {}
    for tries in facts.once(failed_tries):
        _add(facts, tries, refused, found)
    for (who, what), limited in found.items():
        fatal = facts.ended_a_run(limited.spans)
        long = limited.lost_ns >= facts.thresholds.rate_limit_wait_s * 1e9
        times = "" if len(limited.spans) == 1 else f" {len(limited.spans)} times"
        named = what if what == who else f"{what} of {who}"
        yield Finding(
            code="rate-limit-wait",
            severity=Severity.ERROR if fatal else Severity.WARNING if long else Severity.INFO,
            confidence=1.0,
            summary=f"{named} was refused{times} by a rate limit, which "
            + ("ended the run" if fatal else f"cost {duration(limited.lost_ns)}"),
            subject=f"{who}: {what}",
            spans=ids([*limited.spans, *limited.worked]),
            saves_ns=limited.lost_ns,
            advice="spread the calls (a rate limiter of LangChain, max_concurrency), retry with backoff, or give "
            f"{named} a fallback",
        )


def _add(facts: RunFacts, tries: Tries, refused: set[str], found: dict[tuple[str, str], _Limited]) -> None:
    """Count the refused ones among the tries of a call, each from its start to that of the next one."""
    following = [*tries.failed[1:], tries.worked]
    for span, then in zip(tries.failed, following, strict=True):
        if span.span_id not in refused:
            continue
        limited = found.setdefault((facts.who(span), tries.what), _Limited())
        limited.spans.append(span)
        until = span.last_ns if then is None else then.start_ns
        limited.lost_ns += max(0, until - span.start_ns)
        if then is not None and then is tries.worked:
            limited.worked.append(then)


def _is_limited(facts: RunFacts, span: Span) -> bool:
    if _TYPE.search(str(span.columns.get(names.ERROR_TYPE) or "")):
        return True
    if span.kind == SpanKind.CLIENT and any(span.get(name) == _TOO_MANY for name in _STATUS):
        return True
    return _MESSAGE.search(facts.content.error_message(span) or "") is not None


__all__ = ["rate_limit_wait"]
