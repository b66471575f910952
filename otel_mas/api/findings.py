"""Findings of a run, and the detectors that make them, found by entry point."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, cast

from otel_mas.analyse.findings import Detector, RunFacts, detect, installed_detectors, ranked
from otel_mas.analyse.findings.groups import FindingGroup
from otel_mas.analyse.root_cause import Complaint, RootCause, root_cause
from otel_mas.api.query_answers import Answer
from otel_mas.causal import CausalGraph
from otel_mas.errors import UnsupportedQuery, arguments
from otel_mas.model import Finding, Undecided
from otel_mas.model.frame import Tabular

if TYPE_CHECKING:
    from otel_mas.report.frame import Frame


class Findings(Answer[Finding]):
    """Findings, the worst first; of those `undecided` the recording cannot tell whether there are any."""

    name = "findings"

    def __init__(self, found: Iterable[Finding] = (), undecided: Iterable[Undecided] = ()) -> None:
        super().__init__(found)
        self.undecided = tuple(undecided)


class FindingGroups(Answer[FindingGroup]):
    """Findings of many runs, the same ones in one, the worst first."""

    name = "finding_groups"

    def __init__(
        self,
        found: Iterable[FindingGroup] = (),
        *,
        examined: int = 0,
        limited: bool = False,
        incomplete: str | None = None,
    ) -> None:
        super().__init__(found, limited=limited, incomplete=incomplete)
        self.examined = examined
        """Number of runs that were read."""


@dataclass(frozen=True)
class Explanation(Tabular):
    """Root causes of what somebody has against a run, or of its errors, and all findings about it.

    As a table: a row for each root cause.
    """

    _graph: CausalGraph
    complaint: Complaint | None
    """The complaint, where there is one beside errors."""
    root_cause: tuple[RootCause, ...]
    """The most probable one first; none for a run against which nothing speaks."""
    findings: Findings

    def _frame(self) -> Frame:
        from otel_mas.report.frame.query import answer

        return answer("root_cause", self.root_cause)

    def _repr_html_(self) -> str:
        from otel_mas.report.html import notebook

        return notebook.explained(self.complaint, self.root_cause, self.findings, self._graph)


def explain(facts: RunFacts, complaint: Complaint | None) -> Explanation:
    """Root causes and findings of a run."""
    causes = root_cause(facts.graph, facts.content, complaint=complaint)
    return Explanation(facts.graph, complaint, tuple(causes), find(facts, load_detectors()))


def find(facts: RunFacts, detectors: Mapping[str, Detector]) -> Findings:
    """Findings of these detectors in a run."""
    found, undecided = [], []
    for one in detect(facts, detectors):
        if isinstance(one, Finding):
            found.append(one)
        else:
            undecided.append(one)
    return Findings(ranked(found, facts), undecided)


def load_detectors(codes: str | Collection[str] = ()) -> Mapping[str, Detector]:
    """The installed detectors by the code of their findings.

    Args:
        codes: only of this kind, or of these; of all kinds by default.

    Raises:
        UnsupportedQuery: There is no such kind.
    """
    chosen = set(arguments.names("codes", codes))
    installed = installed_detectors()
    unknown = sorted(chosen - installed.keys())
    if unknown:
        raise UnsupportedQuery(
            f"there is no kind of finding {', '.join(unknown)}: ask for some of {', '.join(installed)}"
        )
    return {code: _loaded(point) for code, point in installed.items() if not chosen or code in chosen}


def _loaded(point: EntryPoint) -> Detector:
    """The detector; one that cannot be imported fails when it is asked."""
    try:
        return cast(Detector, point.load())
    except Exception as error:

        def failing(_: RunFacts, error: Exception = error) -> Iterable[Finding]:
            raise error

        return failing


__all__ = ["Explanation", "FindingGroups", "Findings", "explain", "find", "installed_detectors", "load_detectors"]
