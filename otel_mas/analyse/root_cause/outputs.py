"""Outputs that are none: truncated answers, agents that give up, results that are no data."""

from __future__ import annotations

from collections.abc import Iterator

from otel_mas.analyse.finish_reasons import was_cut
from otel_mas.analyse.giving_up import gives_up
from otel_mas.analyse.malformed import malformed
from otel_mas.analyse.root_cause.acts import Acts
from otel_mas.analyse.root_cause.evidence import Evidence

_CUT, _MALFORMED, _GIVES_UP = 0.8, 0.8, 0.7


def output_evidence(acts: Acts) -> Iterator[Evidence]:
    """Acts whose output was cut off, says that they give up, or is no data."""
    for act in acts:
        if was_cut(act.span):
            yield Evidence(act.number, _CUT, "its answer was cut off: it ran out of tokens")
        if act.is_call and (what := malformed(act.wrote)) is not None:
            yield Evidence(act.number, _MALFORMED, f"its result is no data: {what}")
        if act.speaks and (words := gives_up(act.wrote)) is not None:
            yield Evidence(act.number, _GIVES_UP, f"gives up: {words!r}")


__all__ = ["output_evidence"]
