"""States of a debug session, over every sequence of events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.api.debug_session.states import RUN_ENDS, TRANSITIONS, SessionEvent, SessionState, following

EVENTS = st.lists(st.sampled_from(SessionEvent), max_size=30)


def test_a_run_goes_through_every_state() -> None:
    events = [
        SessionEvent.STORE_OPENED,
        SessionEvent.RUN_BEGAN,
        SessionEvent.RUN_CLOSED,
        SessionEvent.ANALYZED,
        SessionEvent.DETACHED,
    ]
    state, seen = SessionState.IDLE, []
    for event in events:
        state = following(state, event)
        seen.append(state.value)
    assert seen == ["ATTACHED", "RECORDING", "ANALYZING", "ATTACHED", "IDLE"]


@given(EVENTS)
def test_every_sequence_of_events_is_followed_or_refused(events: list[SessionEvent]) -> None:
    state = SessionState.IDLE
    history: list[SessionEvent] = []
    for event in events:
        if (state, event) not in TRANSITIONS:
            with pytest.raises(ValueError, match=state):
                following(state, event)
            continue
        after = following(state, event)
        history.append(event)
        # Only a run that began is analysed, and only what ended.
        if event is SessionEvent.ANALYZED:
            assert history[-2] in RUN_ENDS
            assert history[-3] is SessionEvent.RUN_BEGAN
        if after is SessionState.RECORDING:
            assert state is SessionState.ATTACHED
        if event in (SessionEvent.DETACHED, SessionEvent.STORE_LOST):
            assert after is SessionState.IDLE
        state = after


@pytest.mark.parametrize("state", SessionState)
def test_each_state_refuses_what_cannot_happen_in_it_and_leads_back_to_idle(state: SessionState) -> None:
    assert following(state, SessionEvent.DETACHED) is SessionState.IDLE
    refused = [event for event in SessionEvent if (state, event) not in TRANSITIONS]
    assert refused
    for event in refused:
        with pytest.raises(ValueError, match=f"a session that is {state} cannot"):
            following(state, event)
