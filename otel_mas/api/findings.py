"""Findings of a run, and the detectors that make them, found by entry point."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from otel_mas.analyse.findings import Detector, RunFacts, detect, ranked
from otel_mas.api.query_answers import Answer
from otel_mas.errors import UnsupportedQuery
from otel_mas.model import Finding, Undecided

GROUP = "otel_mas_detector"


class Findings(Answer[Finding]):
    """Findings, the worst first; of those `undecided` the recording cannot tell whether there are any."""

    name = "findings"

    def __init__(self, found: Iterable[Finding] = (), undecided: Iterable[Undecided] = ()) -> None:
        super().__init__(found)
        self.undecided = tuple(undecided)


def installed_detectors() -> dict[str, EntryPoint]:
    """Installed detectors by the code of their findings, ours and those of other packages; nothing is imported yet."""
    return {point.name: point for point in sorted(entry_points(group=GROUP))}


def find(facts: RunFacts, codes: str | Collection[str] = ()) -> Findings:
    """Findings of the installed detectors in a run.

    Args:
        facts: the run.
        codes: only findings of this kind, or of these; of all kinds by default.

    Raises:
        UnsupportedQuery: There is no such kind.
    """
    found, undecided = [], []
    for one in detect(facts, _detectors({codes} if isinstance(codes, str) else set(codes))):
        if isinstance(one, Finding):
            found.append(one)
        else:
            undecided.append(one)
    return Findings(ranked(found), undecided)


def _detectors(codes: Collection[str]) -> Mapping[str, Detector]:
    installed = installed_detectors()
    unknown = sorted(codes - installed.keys())
    if unknown:
        raise UnsupportedQuery(
            f"there is no kind of finding {', '.join(unknown)}: ask for some of {', '.join(installed)}"
        )
    return {code: _loaded(point) for code, point in installed.items() if not codes or code in codes}


def _loaded(point: EntryPoint) -> Detector:
    """The detector; one that cannot be imported fails when it is asked."""
    try:
        return cast(Detector, point.load())
    except Exception as error:

        def failing(_: RunFacts, error: Exception = error) -> Iterable[Finding]:
            raise error

        return failing


__all__ = ["Findings", "find", "installed_detectors"]
