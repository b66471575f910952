"""Root causes of failed runs that nobody here wrote, against what people labelled, and above the trivial rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.accuracy.attribution import measures
from tests.accuracy.attribution.table import PAGE, our_rows, trivial_rows
from tests.accuracy.attribution.transcripts import Case, agentrx, who_and_when

WHO_AND_WHEN = "attribution/who-and-when"
PUBLISHED = {
    "algorithm-generated": {"always the second turn": 0.270, "rules of Tracedown": 0.214},
    "hand-crafted": {"rules of Tracedown": 0.190, "always the last turn": 0.121},
}
"""Step top-1 of methods without a model, on all logs of each part."""


@pytest.mark.parametrize("part", PUBLISHED)
def test_steps_of_who_and_when_are_found_more_often_than_without_a_model(
    part: str, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    cases = who_and_when(_part(part, shared_data))

    found = measures.of_steps(cases, [measures.our_ranking(case, tmp_path) for case in cases])

    assert {name: figure for name, figure in PUBLISHED[part].items() if found.top_1 <= figure} == {}


def test_agents_and_first_three_steps_of_who_and_when_are_above_the_trivial_rules(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    cases = who_and_when(_part("algorithm-generated", shared_data))
    rankings = [measures.our_ranking(case, tmp_path) for case in cases]
    trivial = [[rule(case) for case in cases] for rule in measures.TRIVIAL.values()]

    for measure in (measures.of_steps, measures.of_agents):
        best = max(measure(cases, one).mrr for one in trivial)

        assert measure(cases, rankings).mrr > best


def test_root_causes_of_agentrx_are_found_as_often_as_by_blaming_a_change_of_the_database(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    cases = agentrx(shared_data("attribution/agentrx-tau"))

    found = measures.of_steps(cases, [measures.our_ranking(case, tmp_path) for case in cases])

    assert found.top_1 >= max(measures.of_steps(cases, ranked).top_1 for ranked in measures.by_changes(cases).values())


def test_the_page_has_what_is_measured(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    logs = who_and_when(_part("algorithm-generated", shared_data))
    runs = agentrx(shared_data("attribution/agentrx-tau"))
    page = PAGE.read_text()
    if f"{len(logs)} logs" not in page or f"{len(runs)} runs" not in page:
        pytest.skip("the page is of other cases than are here")

    rows = [
        row
        for cases, second in ((logs, measures.of_agents), (runs, measures.of_failures))
        for rankings in [[measures.our_ranking(case, tmp_path) for case in cases]]
        for row in (*our_rows(cases, rankings, second), *trivial_rows(cases, second))
    ]

    assert [row for row in rows if row not in page] == []


def test_a_ranking_does_not_see_the_labels(shared_data: Callable[[str], Path], tmp_path: Path) -> None:
    """Another label changes nothing but the score."""
    case = who_and_when(_part("algorithm-generated", shared_data))[0]
    mislabelled = Case(case.name, case.task, case.steps, case.step + 1, "nobody")

    assert measures.our_ranking(case, tmp_path) == measures.our_ranking(mislabelled, tmp_path)


def _part(part: str, shared_data: Callable[[str], Path]) -> Path:
    folder = shared_data(WHO_AND_WHEN) / part
    if not folder.exists():
        pytest.skip(f"the shared data has no logs that are {part}: {folder}")
    return folder
