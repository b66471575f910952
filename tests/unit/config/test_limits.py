"""Budgets as text, and as code gives them."""

from __future__ import annotations

import pytest

from otel_mas.config import Settings
from otel_mas.config.limits import Limits, parse_limits
from otel_mas.errors import ConfigError


def test_text_of_several_budgets() -> None:
    given = "usd=0.50, tokens=20_000,calls=40,seconds=5m; usd=5,per=user,every=day;"
    found = parse_limits(given)
    assert found == (
        Limits(usd=0.5, tokens=20_000, calls=40, seconds=300),
        Limits(usd=5, per="user", every="day"),
    )
    assert parse_limits(";".join(map(str, found))) == found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("per=user", "at least one of usd, tokens, calls and seconds"),
        ("usd", "budgets like usd=0.50,tokens=20000"),
        ("usd=1,usd=2", "budgets like usd=0.50,tokens=20000"),
        ("usds=1", "there is no 'usds': did you mean usd?"),
        ("usd=-1", "usd as a number, 0 or more"),
        ("calls=many", "calls as a number, 0 or more"),
        ("seconds=long", "seconds, like 90"),
        ("calls=3,per=team", "per one of run, agent, user, conversation"),
        ("calls=3,every=day", "per user or conversation where there is an every"),
    ],
)
def test_what_is_wrong_with_a_text(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=f"OTEL_MAS_BUDGETS is .*; it must be .*{problem}".replace("?", r"\?")):
        Settings.from_env({"OTEL_MAS_BUDGETS": text})


def test_code_gives_texts_and_limits() -> None:
    settings = Settings.from_env({}, budgets=["calls=3", Limits(tokens=5)])
    assert settings.budgets == (Limits(calls=3), Limits(tokens=5))
