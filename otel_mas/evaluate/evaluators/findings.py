"""Evaluator of findings: none of a severity, or of a kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from otel_mas.analyse.findings import installed_detectors
from otel_mas.errors import ConfigError, InsufficientEvidence
from otel_mas.errors.similar import did_you_mean
from otel_mas.evaluate.context import RunContext
from otel_mas.evaluate.evaluator import EvaluationReason
from otel_mas.model import Finding, Severity, Undecided

_SEVERITIES = tuple(one.value for one in Severity)
_MOST_SHOWN = 3


@dataclass(frozen=True)
class NoFindings:
    """Passes where nothing is wrong with the run, or nothing of this severity or kind.

    Args:
        severity: of this severity or a worse one: "error", "warning" or "info". Without a code "error" by default.
        code: of this kind: "causal-amnesia", or "causal_amnesia".
        confidence: only findings that are this sure, 0 to 1.
    """

    severity: str | None = None
    code: str | None = None
    confidence: float = 0.0

    def __post_init__(self) -> None:
        if self.severity is not None and self.severity not in _SEVERITIES:
            raise ConfigError(
                f"no_findings: severity is {self.severity!r}: give one of {', '.join(_SEVERITIES)}; a kind is `code`"
            )
        if isinstance(self.confidence, bool) or not 0 <= self.confidence <= 1:
            raise ConfigError(f"no_findings: confidence is {self.confidence!r}: give a number from 0 to 1")
        if self.code is not None:
            code, known = self.code.replace("_", "-"), installed_detectors()
            if code not in known:
                hint = did_you_mean(code, known) or f": give one of {', '.join(known)}"
                raise ConfigError(f"no_findings: code is {self.code!r}{hint}")
            object.__setattr__(self, "code", code)

    def evaluate(self, context: RunContext) -> EvaluationReason:
        found = [one for one in context.findings if self._counts(one)]
        if found:
            texts = [f"{one.code}: {one.summary}" for one in found[:_MOST_SHOWN]]
            more = f"; and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
            return EvaluationReason(False, "; ".join(texts) + more)
        undecided = list(self._undecided(context))
        if undecided:
            raise InsufficientEvidence("; ".join(f"{one.code}: {one.reason}" for one in undecided[:_MOST_SHOWN]))
        context.check_complete()
        return EvaluationReason(True)

    def _counts(self, one: Finding) -> bool:
        severity = self.severity or (Severity.ERROR if self.code is None else Severity.INFO)
        severe = _SEVERITIES.index(one.severity) <= _SEVERITIES.index(severity)
        return severe and self.code in (None, one.code) and one.confidence >= self.confidence

    def _undecided(self, context: RunContext) -> Iterator[Undecided]:
        """Kinds that count and of which the recording cannot tell; their severity is not known."""
        return (one for one in context.undecided if self.code in (None, one.code))


def no_findings(*, severity: str = Severity.ERROR.value, confidence: float = 0.0) -> NoFindings:
    """An evaluator that passes where there is no finding of this severity or a worse one: see `NoFindings`."""
    return NoFindings(severity=severity, confidence=confidence)


def no(code: str, *, confidence: float = 0.0) -> NoFindings:
    """An evaluator that passes where there is no finding of this kind: `no("causal_amnesia")`."""
    return NoFindings(code=code, confidence=confidence)


__all__ = ["NoFindings", "no", "no_findings"]
