"""An agent whose history is lost starts over; one that never had a history, or is asked again, does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from otel_mas.analyse.findings.conversation_restart import conversation_restart
from otel_mas.model import Finding, Severity
from tests.unit.analyse.findings.run import facts, made

TEXTS = {
    "asked": ("user", "Plan a trip to Lisbon."),
    "plan": ("assistant", "Here is my plan: first flights, then hotels."),
    "flights": ("assistant", "The flight leaves at nine."),
    "hotels": ("assistant", "The hotel is near the river."),
    "short": ("assistant", "Hello."),
}


def called(*calls: tuple[Sequence[str], str]) -> list[Finding]:
    """Findings about an agent whose model read and wrote these."""
    spans = [made.call(f"call{i}", 10 * i + 1, 10 * i + 5, "plan1") for i in range(len(calls))]
    read = {f"call{i}": one for i, (one, _) in enumerate(calls)}
    wrote = {f"call{i}": [one] for i, (_, one) in enumerate(calls)}
    return list(
        conversation_restart(facts(made.agent("plan1", 0, 1000), *spans, messages=TEXTS, read=read, wrote=wrote))
    )


OPENING = (["asked"], "plan")
PROGRESS = (["asked", "plan"], "flights")
MORE = (["asked", "plan", "flights"], "hotels")
AGAIN = (["asked"], "plan")


def test_an_agent_that_starts_over_without_its_history() -> None:
    (found,) = called(OPENING, PROGRESS, MORE, AGAIN)

    assert (found.severity, found.subject) == (Severity.WARNING, "plan")
    assert found.summary == "plan started over after 2 other answers: it repeated its opening, without its history"
    assert (found.spans, found.messages) == (("call3", "call0"), ("plan",))
    assert "inferred" in found.rests_on


@pytest.mark.parametrize(
    "calls",
    [
        (OPENING, PROGRESS, MORE),
        (OPENING, AGAIN),
        (OPENING, (["asked"], "flights"), AGAIN),
        (OPENING, PROGRESS, (["asked", "plan", "flights"], "plan")),
        ((["asked"], "short"), (["asked", "short"], "flights"), (["asked"], "short")),
    ],
    ids=["it goes on", "a retry", "it never reads what it said", "with its history at hand", "too short to tell"],
)
def test_what_is_no_new_start(calls: Sequence[tuple[Sequence[str], str]]) -> None:
    assert called(*calls) == []


def test_another_invocation_of_an_agent_has_a_history_of_its_own() -> None:
    agents = [made.agent("plan1", 0, 100), made.agent("plan2", 200, 300)]
    inner = [made.task(f"model{i}", 10 * i, 10 * i + 9, f"plan{1 + i // 20}") for i in (0, 1, 20)]
    spans = [made.call(f"call{i}", 10 * i + 1, 10 * i + 5, f"model{i}") for i in (0, 1, 20)]
    read, wrote = (
        {"call0": OPENING[0], "call1": PROGRESS[0], "call20": AGAIN[0]},
        {
            "call0": ["plan"],
            "call1": ["flights"],
            "call20": ["plan"],
        },
    )
    run = facts(*agents, *inner, *spans, messages=TEXTS, read=read, wrote=wrote)
    assert list(conversation_restart(run)) == []
