"""Context windows that are full, or nearly so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from otel_mas.analyse.findings.facts import RunFacts, ids, kind_of, model_name
from otel_mas.analyse.finish_reasons import filled_window
from otel_mas.model import Finding, Severity, Span
from otel_mas.semconv import RecordKind
from otel_mas.semconv import attributes as names

_TYPE = re.compile(r"ContextWindowExceeded|ContextOverflow|ContextLength", re.IGNORECASE)
_MESSAGE = re.compile(
    r"context_length_exceeded|maximum context length|context (?:window|length)[^.]{0,40}\bexceed|"
    r"exceed\w*[^.]{0,40}\bcontext (?:window|length|size)|prompt is too long|input is too long|"
    r"input token count[^.]{0,60}exceeds",
    re.IGNORECASE,
)
_LEAST = 12_000
"""Input tokens from which on a window is looked up: the smallest windows of models in use have 16,000 tokens."""


@dataclass
class _Calls:
    """Calls of one model by one agent."""

    window: int | None = None
    first: Span | None = None
    largest: Span | None = None
    pressed: list[Span] = field(default_factory=list)
    refused: list[Span] = field(default_factory=list)
    filled: list[Span] = field(default_factory=list)


def context_pressure(facts: RunFacts) -> Iterator[Finding]:
    """The input of a model call was close to the model's context window, its provider refused it as too long, or the
    answer ended since the window was full. Windows are those of the price table (genai-prices); of a model that it does
    not have only what its provider said is told.
    """
    found: dict[tuple[str, str], _Calls] = {}
    for call in facts.model_calls:
        model, tokens = model_name(call), _tokens(call)
        calls = found.setdefault((facts.who(call), model), _Calls())
        calls.first = calls.first or call
        if calls.largest is None or tokens > _tokens(calls.largest):
            calls.largest = call
        if tokens >= _LEAST:
            provider = call.columns.get(names.GEN_AI_PROVIDER_NAME)
            calls.window = calls.window or facts.windows(None if provider is None else str(provider), model)
            if calls.window and tokens >= facts.thresholds.context_window_share * calls.window:
                calls.pressed.append(call)
        if filled_window(call):
            calls.filled.append(call)
    for span in facts.errors:
        if kind_of(span) == RecordKind.LLM_CALL and _is_too_long(facts, span):
            found.setdefault((facts.who(span), model_name(span)), _Calls()).refused.append(span)
    for (who, model), calls in found.items():
        if calls.refused or calls.filled or calls.pressed:
            yield _finding(facts, who, model, calls)


def _finding(facts: RunFacts, who: str, model: str, calls: _Calls) -> Finding:
    stated = calls.refused or calls.filled
    largest = calls.largest
    if calls.refused:
        summary = f"{model} refused {who} a call as too long for its context window"
    elif calls.filled:
        summary = f"an answer of {model} to {who} ended since its context window was full"
    else:
        assert largest is not None
        summary = f"{who} sent {model} {_tokens(largest):,} tokens, of the {calls.window:,} that its context window has"
    grown = "" if largest is None or calls.first is None or largest is calls.first else _growth(calls.first, largest)
    return Finding(
        code="context-pressure",
        severity=Severity.ERROR if facts.ended_a_run(calls.refused) else Severity.WARNING,
        confidence=1.0 if stated else 0.9,
        summary=summary + grown,
        subject=f"{who}: {model}",
        spans=ids(dict.fromkeys([*calls.refused, *calls.filled, *sorted(calls.pressed, key=_tokens, reverse=True)])),
        rests_on=("recorded",) if stated else ("recorded", "metadata"),
        advice=f"trim or summarise what {who} reads (trim_messages, SummarizationMiddleware), shorten the results of "
        "tools, or use a model with a larger window",
    )


def _growth(first: Span, largest: Span) -> str:
    before, after = _tokens(first), _tokens(largest)
    return f"; its input grew from {before:,} to {after:,} tokens" if before and after >= 2 * before else ""


def _tokens(call: Span) -> int:
    value = call.columns.get(names.GEN_AI_USAGE_INPUT_TOKENS)
    return int(value) if isinstance(value, int | float) and value > 0 else 0


def _is_too_long(facts: RunFacts, span: Span) -> bool:
    if _TYPE.search(str(span.columns.get(names.ERROR_TYPE) or "")):
        return True
    return _MESSAGE.search(facts.content.error_message(span) or "") is not None


__all__ = ["context_pressure"]
