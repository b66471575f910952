"""A line on stderr where a question to a server takes more than a second, and only on a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from otel_mas.cli import progress as shown
from otel_mas.sources.newest import DAY, Candidate, Page, Walk
from otel_mas.sources.progress import listening, reporting


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    monkeypatch.setattr(sys, "stderr", stream)  # not in a fixture: pytest puts its own there for each phase
    return stream


class At:
    """A timer that goes off when a test says so."""

    def __init__(self, _: float, function: object) -> None:
        self.function = function
        At.last = self

    daemon = False
    last: At

    def start(self) -> None: ...

    def cancel(self) -> None: ...


def test_it_is_shown_after_a_second_and_taken_back_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on(Terminal(), monkeypatch)
    monkeypatch.setattr(shown, "Timer", At)
    with shown.progress():
        with reporting() as report:
            report("asking")
            assert terminal.getvalue() == ""
            At.last.function()  # type: ignore[operator]
            report("2 of 3")
        assert terminal.getvalue() == "otel-mas: asking\r\x1b[Kotel-mas: 2 of 3\r\x1b[K"


def test_a_request_of_less_than_a_second_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on(Terminal(), monkeypatch)
    monkeypatch.setattr(shown, "Timer", At)
    with shown.progress(), reporting() as report:
        report("asking")

    assert terminal.getvalue() == ""


def test_nothing_is_shown_unless_stderr_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = on(io.StringIO(), monkeypatch)
    monkeypatch.setattr(shown, "SHOWN_AFTER_S", 0.0)
    with shown.progress(), reporting() as report:
        report("asking")

    assert plain.getvalue() == ""


def test_a_walk_tells_how_many_traces_it_has_found_and_read() -> None:
    found = [Candidate(f"{number:032x}", DAY) for number in range(3)]
    walk = Walk(lambda lo, hi, most: Page(found, True), lambda trace_id: None, "tempo+http://t:1", 1)
    lines: list[str] = []
    with listening(lines.append):
        walk.newest(20, 0, 2 * DAY)

    assert lines[:2] == ["asking tempo+http://t:1", "3 traces found"]
    assert lines[-2:] == ["3 of 3 traces read", ""]
