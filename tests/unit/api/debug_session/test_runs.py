"""Which run is followed, and when it has ended."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.api.debug_session.runs import Runs
from otel_mas.api.debug_session.states import SessionEvent
from otel_mas.model import Changes, Span

S = 1_000_000_000
QUIET = 30 * S
SINCE = 1_000


def span(trace: str, number: int = 1, *, parent: str | None = None, ended: bool = False, start_ns: int = SINCE) -> Span:
    return Span(trace, f"{number:016x}", parent, "step", start_ns, start_ns + 1 if ended else None)


def changes(*spans: Span, running: str = "", stopped: str = "") -> Changes:
    return Changes(
        tuple(one for one in spans if one.end_ns is None),
        tuple(one for one in spans if one.end_ns is not None),
        frozenset(running.split()),
        frozenset(stopped.split()),
    )


def test_a_run_closes_when_nothing_of_it_is_open_and_its_batches_are_there() -> None:
    runs = Runs(QUIET, SINCE)
    runs.add(changes(span("a"), running="a"), 0)
    assert runs.begin() == "a"
    assert runs.ending(S) is None
    runs.add(changes(span("a", ended=True)), S)
    assert runs.ending(S) is None
    assert runs.ending(S + S // 2) is SessionEvent.RUN_CLOSED


def test_a_run_whose_root_is_elsewhere_closes_a_little_later() -> None:
    runs = Runs(QUIET, SINCE)
    runs.add(changes(span("a", parent="f" * 16, ended=True)), 0)
    runs.begin()
    assert runs.ending(S) is None
    assert runs.ending(2 * S) is SessionEvent.RUN_CLOSED


def test_an_open_run_is_quiet_after_the_setting_and_goes_on_with_its_next_record() -> None:
    runs = Runs(QUIET, SINCE)
    runs.add(changes(span("a", start_ns=0), running="a"), 0)  # began before the session
    runs.begin()
    assert runs.ending(QUIET - 1) is None
    assert runs.ending(QUIET) is SessionEvent.RUN_QUIET
    runs.end()
    assert runs.begin() is None
    runs.add(changes(span("a", start_ns=0, ended=True)), 2 * QUIET)
    assert runs.begin() == "a"
    assert runs.ending(3 * QUIET) is SessionEvent.RUN_CLOSED


def test_a_run_whose_process_is_gone_has_stopped_also_after_it_was_quiet() -> None:
    runs = Runs(QUIET, SINCE)
    runs.add(changes(span("a"), running="a"), 0)
    runs.begin()
    runs.ending(QUIET)
    runs.end()
    runs.add(changes(stopped="a"), QUIET + S)
    assert runs.begin() == "a"
    assert runs.ending(QUIET + S) is SessionEvent.RUN_STOPPED
    runs.end()
    runs.add(changes(stopped="a"), QUIET + 2 * S)
    assert runs.begin() is None


def test_what_was_over_before_the_session_is_no_run() -> None:
    runs = Runs(QUIET, SINCE)
    runs.add(changes(span("dead", start_ns=0), span("old", start_ns=0, ended=True), stopped="dead"), 0)
    assert runs.begin() is None
    runs.add(changes(span("imported", start_ns=5, ended=True)), S)
    assert runs.begin() is None


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=30))
def test_every_run_is_followed_once_in_the_order_of_their_beginning(traces: list[str]) -> None:
    runs = Runs(QUIET, SINCE)
    for number, trace in enumerate(traces):
        runs.add(changes(span(trace, number, ended=True)), number)
    followed = []
    while (trace := runs.begin()) is not None:
        assert runs.waiting == len(set(traces)) - len(followed) - 1
        followed.append(trace)
        assert runs.ending(len(traces) + S) is SessionEvent.RUN_CLOSED
        runs.end()
    assert followed == list(dict.fromkeys(traces))
