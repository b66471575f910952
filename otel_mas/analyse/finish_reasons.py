"""Reasons for which models finish, as their providers name them."""

from __future__ import annotations

from otel_mas.model import Span
from otel_mas.semconv import attributes as names

_CUT = frozenset(("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"))
_WINDOW = frozenset(("model_length", "model_context_window_exceeded"))


def was_cut(call: Span) -> bool:
    """Whether a model call's answer was cut off, since it ran out of tokens."""
    return not _CUT.isdisjoint(finish_reasons(call))


def filled_window(call: Span) -> bool:
    """Whether a model call's answer was cut off, since the model's context window was full."""
    return not _WINDOW.isdisjoint(finish_reasons(call))


def finish_reasons(call: Span) -> frozenset[str]:
    """The reasons, in small letters; none where they were not recorded."""
    reasons = call.get(names.GEN_AI_RESPONSE_FINISH_REASONS)
    if isinstance(reasons, str):
        reasons = (reasons,)
    return frozenset(str(one).lower() for one in reasons) if isinstance(reasons, list | tuple) else frozenset()


__all__ = ["filled_window", "finish_reasons", "was_cut"]
