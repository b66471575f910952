"""Every finding is documented, has a code of its own, and is provoked by a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from otel_mas.doctor import findings
from otel_mas.doctor.__main__ import page
from otel_mas.doctor.findings import KINDS, FindingKind, Level, finding

REPOSITORY = Path(__file__).resolve().parents[3]
OTHERS = [path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__)]
TESTS = "".join(path.read_text() for path in OTHERS)
# A mount over a network cannot be made here: see test_store.py.
NOT_PROVOKED = {"store-on-network"}


def test_the_committed_page_is_generated_from_the_table() -> None:
    """After a change: python -m otel_mas.doctor > docs/doctor.md"""
    assert (REPOSITORY / "docs" / "doctor.md").read_text() == page()


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_each_is_documented_with_its_fix(kind: FindingKind) -> None:
    message, fix = kind.documented()
    row = next(line for line in page().splitlines() if line.startswith(f"| `{kind.code}` |"))
    assert message.replace("|", "\\|") in row
    assert fix.replace("|", "\\|") in row
    assert "{" not in message + fix
    assert fix or kind.level is Level.OK


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.code)
def test_each_is_provoked_by_a_test(kind: FindingKind) -> None:
    assert (f'"{kind.code}"' in TESTS) is (kind.code not in NOT_PROVOKED)


def test_codes_are_words_and_none_stands_for_two() -> None:
    source = Path(findings.__file__).read_text()
    for code in KINDS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert source.count(f'("{code}", ') == 1


def test_values_cannot_break_a_line() -> None:
    assert finding("setting-invalid", problem="a\nb\x1b[31m {c}").message == "a b [31m {c}"
