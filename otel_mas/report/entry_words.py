"""Entries of the interaction log in words: the arrow to the other party, and facts beside it."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.log import Entry, EntryKind
from otel_mas.report.text import count, duration, plain, usd

_END = {"__end__": "end"}


def headline(one: Entry) -> str:
    """An entry in a few words: `→ search_archive`, `route → writer`, `✗ ValueError`."""
    kind = one.kind
    outcome = "" if one.outcome is None else plain(one.outcome)
    if kind is EntryKind.RUN_START:
        return "run starts"
    if kind is EntryKind.RUN_END:
        return f"run ends: {outcome}"
    if kind is EntryKind.STATE:
        return f"writes {plain(', '.join(one.channels))}"
    if kind is EntryKind.ERROR:
        return f"✗ {outcome}"
    if kind is EntryKind.EVENT:
        return outcome
    if kind is EntryKind.LOG:
        return f"log {outcome} {plain(one.sender or '')}".strip()
    if kind is EntryKind.RETRY:
        return f"retry{f' ({outcome})' if outcome else ''}"
    if kind in (EntryKind.GUARDRAIL, EntryKind.EVALUATION):
        return f"{plain(one.sender or kind)} → {outcome or '?'}"
    if kind is EntryKind.ROUTE:
        return f"route → {', '.join(_END.get(part, part) for part in outcome.split(', ')) or 'end'}"
    if kind is EntryKind.ANSWER:
        return "answers"
    if kind is EntryKind.PROMPT and one.known_messages and one.sender is None:
        return "← nothing new"
    word = {EntryKind.HANDOFF: "handoff ", EntryKind.RETRIEVAL: "retrieval "}.get(kind, "")
    if one.sender == one.task:
        return f"{word}→ {plain(one.receiver or '?')}"
    return f"{word or ('send ' if kind is EntryKind.SEND else '')}← {plain(one.sender or '?')}"


def facts(one: Entry) -> Iterator[str]:
    """Figures of an entry: model, tokens, cost, duration, messages left out, content that is missing."""
    if one.kind is EntryKind.ANSWER:
        if one.model:
            yield plain(one.model)
        if one.input_tokens is not None or one.output_tokens is not None:
            yield f"{one.input_tokens or 0:,}→{one.output_tokens or 0:,} tokens"
        if one.cost_usd is not None:
            yield usd(one.cost_usd)
    if one.duration_ns is not None:
        yield duration(one.duration_ns)
    if one.known_messages:
        yield f"{count(one.known_messages, 'message')} known before"
    if one.missing and f"({one.missing})" not in (one.text or ""):
        yield plain(one.missing)


__all__ = ["facts", "headline"]
