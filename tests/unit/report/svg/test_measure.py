"""How wide text will be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.report.svg.measure import fit, width


@given(st.text(max_size=40), st.floats(0, 300))
def test_fitted_text_fits(text: str, room: float) -> None:
    assert width(fit(text, 11, room), 11) <= max(room, 0) or fit(text, 11, room) == ""


def test_text_that_fits_is_left_alone_and_other_text_is_cut() -> None:
    assert fit("plan", 11, 100) == "plan"
    assert fit("summarise everything", 11, 60) == "summar…"
    assert fit("summarise", 11, 3) == ""


def test_wide_characters_count_as_wide() -> None:
    assert width("研究", 10) > width("ab", 10) > width("il", 10)
