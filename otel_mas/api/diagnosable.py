"""Mixin of handles on runs: what is wrong with one, why, and judgements of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from otel_mas.config import Settings
from otel_mas.errors import arguments
from otel_mas.model import Finding, Span

if TYPE_CHECKING:
    from otel_mas.analyse.content import RunContent
    from otel_mas.analyse.findings import RunFacts
    from otel_mas.analyse.introduced import Introduction
    from otel_mas.analyse.root_cause import Complaint, RootCause
    from otel_mas.api.answers import ErrorReports
    from otel_mas.api.findings import Explanation, Findings
    from otel_mas.api.graph import Graph
    from otel_mas.api.part import Part
    from otel_mas.config.thresholds import Thresholds
    from otel_mas.evaluate import EvalReport


class Diagnosable(ABC):
    """Answers to what is wrong with a run, from its graph and content."""

    @abstractmethod
    def graph(self) -> Graph:
        """Its causal graph."""

    @abstractmethod
    def span(self, name: str) -> Span:
        """A span by its id or its label."""

    @abstractmethod
    def _parts(self) -> Sequence[Part]:
        """The traces that it is made of."""

    @property
    @abstractmethod
    def _content(self) -> RunContent:
        """Messages and other content of its traces."""

    def error_reports(self) -> ErrorReports:
        """A report of each error: stack, state and input, what led there, what ran side by side, versions.

        Those that ended a run come first.
        """
        from otel_mas.analyse.error_report import error_reports
        from otel_mas.analyse.failures import error_outcomes
        from otel_mas.api.answers import ErrorReports

        causal = self.graph().causal
        return ErrorReports(error_reports(causal, self._content) if error_outcomes(causal.spans) else ())

    def root_cause(self, *, complaint: Complaint | str | None = None) -> tuple[RootCause, ...]:
        """The spans that may be the root cause of what went wrong, the most probable one first, with reasons.

        Args:
            complaint: as for `explain`.

        Raises:
            UnsupportedQuery: There is no such complaint.
            TraceNotFound: The complaint is about a span that is not there.
        """
        from otel_mas.analyse.root_cause import root_cause

        return tuple(root_cause(self.graph().judged, self._content, complaint=self._complaint(complaint)))

    def explain(self, *, complaint: Complaint | str | None = None) -> Explanation:
        """Root causes of its errors, or of what somebody has against it, and all findings about it: docs/root-cause.md.

        Args:
            complaint: "wrong", "missing" or "late", of the run as a whole, or a `Complaint`. By default the one
                that was recorded as feedback, or by an evaluation of the answer that failed: docs/feedback.md. Without
                any only errors that ended the run are explained.

        Raises:
            UnsupportedQuery: There is no such complaint.
            TraceNotFound: The complaint is about a span that is not there.
        """
        from otel_mas.api.findings import explain

        return explain(self._facts(), self._complaint(complaint))

    def introduced(self, text: str) -> Introduction:
        """Find out who introduced a text or value: first writer, all who wrote or read it, and where it was last seen.

        Args:
            text: found in any case and however it is spaced; a number in whatever form.

        Raises:
            UnsupportedQuery: It is empty.
        """
        from otel_mas.analyse.introduced import introduced

        return introduced(self.graph().judged, self._content, arguments.name("text", text))

    def _complaint(self, given: Complaint | str | None) -> Complaint | None:
        """The complaint that is given, or else the recorded one."""
        from otel_mas.analyse.complaints import Complaint, recorded_complaint

        if given is None:
            return recorded_complaint(self.graph().causal, self._content)
        complaint = Complaint.of(given)
        return complaint if complaint.span is None else replace(complaint, span=self.span(complaint.span).span_id)

    def findings(self, *, codes: str | Collection[str] = (), thresholds: Mapping[str, float] | None = None) -> Findings:
        """Findings about it, the worst first, each with its evidence: docs/findings.md.

        Args:
            codes: Only findings of this kind, or of these.
            thresholds: From where on something counts as wrong, by name; else OTEL_MAS_THRESHOLDS and its defaults.

        Raises:
            UnsupportedQuery: There is no such kind.
            ConfigError: There is no such threshold.
        """
        from otel_mas.api.findings import find, load_detectors
        from otel_mas.config.thresholds import Thresholds

        chosen = None if thresholds is None else Thresholds.of(thresholds)
        return find(self._facts(chosen), load_detectors(codes))

    def _facts(self, thresholds: Thresholds | None = None) -> RunFacts:
        from otel_mas.analyse.findings import RunFacts
        from otel_mas.pricing import PRICES

        settings = Settings.from_env()
        chosen = settings.thresholds if thresholds is None else thresholds
        return RunFacts(
            self.graph().judged,
            self._content,
            chosen,
            time.time_ns(),
            windows=PRICES.window,
            input_timeout_s=settings.input_timeout_s,
        )

    def mark(
        self,
        label: str | None = None,
        *,
        score: float | bool | None = None,
        reason: str | None = None,
        span: str | None = None,
        name: str = "feedback",
        author: str | None = None,
    ) -> str:
        """Record a judgement of it in its store, as a span of the same trace: docs/feedback.md.

        `explain` takes the labels "wrong", "missing" and "late", and a score of 0, for a complaint; "right" takes it
        back. The handle itself does not change: read the trace again.

        Args:
            label: the judgement as a word.
            score: the judgement as a number, or as True or False.
            reason: why; secrets are taken out.
            span: the judged span, by its id or a task's label; the whole run by default.
            name: the quality that is judged.
            author: the one who judges.

        Returns:
            The id of the span that holds the judgement.

        Raises:
            TraceNotFound: There is no such span.
            UnsupportedQuery: There is neither a label nor a score, or the source is no store.
            StoreError: The store cannot be written.
        """
        from otel_mas.api.evaluations import main_span, mark
        from otel_mas.instrumentation.judgements import Judgement

        judgement = Judgement(arguments.optional_number("score", score), label, reason)
        parts = self._parts()
        judged = main_span(parts) if span is None else self.span(span)
        return mark(parts, judged, judgement, name=name, author=author)

    def record_findings(self, findings: Iterable[Finding] | None = None) -> int:
        """Record findings in its store as judgements of the spans that show them, for servers to show.

        Findings that are recorded already are left out; none of them is evidence for another one.

        Args:
            findings: by default all of `findings()`.

        Returns:
            The number of those that were recorded now.

        Raises:
            UnsupportedQuery: The source is no store.
            StoreError: The store cannot be written.
        """
        from otel_mas.api.evaluations import record_findings

        given = self.findings() if findings is None else arguments.all_of("findings", findings, Finding)
        return record_findings(self._parts(), given)

    def record_evaluations(self, report: EvalReport) -> int:
        """Record the results of an evaluation of it in its store, below the span that stands for it: docs/evaluate.md.

        Each result becomes a span with the event `gen_ai.evaluation.result`. The same result is recorded once.

        Args:
            report: results of this run and maybe of others, which are passed over.

        Returns:
            The number of those that were recorded now.

        Raises:
            UnsupportedQuery: The source is no store.
            StoreError: The store cannot be written.
        """
        from otel_mas.api.evaluations import record_evaluations
        from otel_mas.evaluate import EvalReport

        if not isinstance(report, EvalReport):
            raise TypeError(f"report is {report!r}: it must be an EvalReport")
        return record_evaluations(self._parts(), report)


__all__ = ["Diagnosable"]
