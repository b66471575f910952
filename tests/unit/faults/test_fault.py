"""Specifications of faults: read from text, written as text, refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.errors import ConfigError
from otel_mas.faults import Fault, FaultKind
from otel_mas.faults.fault import Target, parse_faults


def test_text_and_arguments_say_the_same() -> None:
    text = "tool_hang:tool=search,agent=researcher,occurrence=1|3,probability=0.5,after=200ms,before=2m,delay=1.5s"
    same = Fault(
        "tool_hang",
        tool="search",
        agent="researcher",
        occurrence=[3, 1],
        probability=0.5,
        after=0.2,
        before=120,
        delay=1.5,
    )

    assert Fault.parse(text) == same
    assert Fault.parse(str(same)) == same


@given(
    st.sampled_from([kind for kind in FaultKind if kind not in ("field_forgotten", "resource_starved", "lock_held")]),
    st.text("abcdefgh_-", min_size=1),
    st.lists(st.integers(1, 99)),
    st.floats(0, 1),
    st.floats(0, 10),
)
def test_a_fault_is_what_its_text_says(kind: str, agent: str, times: list[int], chance: float, after: float) -> None:
    fault = Fault(kind, agent=agent, occurrence=times or None, probability=chance, after=after)

    assert Fault.parse(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("tool_errors", "no kind of fault 'tool_errors'; there are message_lost"),
        ("tool_error:tol=x", "no 'tol'; there are agent, tool"),
        ("tool_error:tool", "'tool' is not name=value"),
        ("tool_error:tool=", "'tool=' is not name=value"),
        ("tool_error:tool=a,tool=b", "tool is given twice"),
        ("tool_error:model=gpt", "takes no model; it takes after, agent"),
        ("tool_error:delay=1s", "takes no delay"),
        ("model_slow:keep=0.5", "takes no keep"),
        ("message_lost:edge=a", "edge is 'a': must be sender->reader"),
        ("message_lost:edge=a->b->c", "must be sender->reader"),
        ("message_lost:edge=a->b,agent=b", "an agent or an edge, not both"),
        ("tool_error:occurrence=0", "occurrence is '0': must be a number from 1"),
        ("tool_error:occurrence=first", "must be a number from 1"),
        ("tool_error:probability=2", "probability is '2'"),
        ("model_slow:delay=soon", "must be a time, like 200ms"),
        ("tool_error:after=3s,before=2s", "would end (before) no later than it begins"),
        ("field_forgotten", "needs field"),
        ("agent_gives_up", "needs agent"),
        ("lock_held", "needs agent or tool or model"),
        ("lock_held:tool=a,model=b", "a tool or a model, not both"),
        ("model_truncated:keep=1", "keep is '1'"),
    ],
)
def test_a_wrong_one_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Fault.parse(text)

    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_several_stand_with_semicolons_between() -> None:
    assert parse_faults("tool_error; model_slow:delay=2s;") == (Fault("tool_error"), Fault("model_slow", delay=2))


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_has_a_target(kind: FaultKind) -> None:
    scope = {"field": "f"} if kind == FaultKind.FIELD_FORGOTTEN else {"agent": "a"}

    assert Fault(kind, **scope).target in Target
