"""The walk back through a server's time: exact, whatever the server gives first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.errors import UnsupportedQuery
from otel_mas.model import TraceSummary
from otel_mas.sources.newest import DAY, HOUR, Candidate, FewerTraces, NarrowerWindow, Page, Walk

NOW = 400 * DAY
GRAIN = 1_000


def summary(trace_id: str, start_ns: int) -> TraceSummary:
    return TraceSummary(trace_id, "run", "app", start_ns, start_ns + 1, "ok", 1)


class Server:
    """Traces by id, with the times of their spans; gives those of a window in an order of its own."""

    def __init__(
        self,
        traces: dict[str, list[int]],
        *,
        matching: Callable[[str], bool] = lambda _: True,
        order: Callable[[str], object] = str,
    ) -> None:
        self.traces = traces
        self.matching = matching
        self.order = order
        self.asked: list[tuple[int, int, int]] = []
        self.widest: int | None = None
        self.most = 10**9

    def find(self, lo: int, hi: int, most: int) -> Page:
        self.asked.append((lo, hi, most))
        if self.widest is not None and hi - lo > self.widest:
            raise NarrowerWindow("too wide")
        if most > self.most:
            raise FewerTraces("too many")
        there = sorted(
            (trace for trace, times in self.traces.items() if any(lo <= t <= hi for t in times)), key=self.order
        )
        given = [Candidate(trace, min(self.traces[trace])) for trace in there[:most]]
        return Page(given, len(given) < most)

    def look(self, trace_id: str) -> TraceSummary | None:
        return summary(trace_id, min(self.traces[trace_id])) if self.matching(trace_id) else None

    def walk(self, **changes: int) -> Walk:
        return Walk(self.find, self.look, "a server", GRAIN, **changes)

    def newest(self, limit: int, floor_ns: int) -> list[str]:
        """The right answer, by looking at everything."""
        kept = [
            (-min(times), trace)
            for trace, times in self.traces.items()
            if self.matching(trace) and min(times) >= floor_ns
        ]
        return [trace for _, trace in sorted(kept)[:limit]]


@given(
    st.lists(
        st.tuples(st.integers(0, NOW // GRAIN), st.integers(0, 30 * DAY // GRAIN)),
        max_size=150,
        unique_by=lambda item: item[0],
    ),
    st.integers(1, 30),
    st.sampled_from([0, NOW - DAY, NOW - 60 * DAY]),
    st.integers(1, 4),
)
def test_the_newest_are_found_whatever_the_server_gives_first(
    starts: list[tuple[int, int]], limit: int, floor_ns: int, every: int
) -> None:
    traces = {
        f"{place:032x}": [start * GRAIN * 4, start * GRAIN * 4 + later * GRAIN]
        for place, (start, later) in enumerate(starts)
    }
    server = Server(traces, matching=lambda trace: int(trace, 16) % every == 0)

    found = server.walk().newest(limit, floor_ns, NOW * 4)

    assert [one.trace_id for one in found] == server.newest(limit, floor_ns)


def test_a_store_with_few_traces_is_asked_a_handful_of_times() -> None:
    server = Server({"a" * 32: [NOW - HOUR]})

    assert len(server.walk().newest(20, 0, NOW)) == 1
    assert len(server.asked) <= 6


def test_a_busy_server_is_not_walked_to_its_beginning() -> None:
    server = Server({f"{n:032x}": [NOW - n * HOUR] for n in range(5_000)}, order=lambda trace: int(trace, 16))

    found = server.walk().newest(20, 0, NOW)

    assert [one.trace_id for one in found] == [f"{n:032x}" for n in range(20)]
    assert min(lo for lo, _, _ in server.asked) > NOW - 10 * DAY


def test_a_server_that_takes_short_windows_only_is_asked_for_short_ones() -> None:
    server = Server({f"{n:032x}": [NOW - n * DAY] for n in range(40)})
    server.widest = 3 * DAY

    found = server.walk().newest(30, NOW - 40 * DAY, NOW)

    assert [one.trace_id for one in found] == server.newest(30, 0)


def test_a_server_that_gives_few_at_a_time_is_asked_for_few() -> None:
    server = Server({f"{n:032x}": [NOW - n * HOUR] for n in range(30)})
    server.most = 7

    assert [one.trace_id for one in server.walk().newest(20, 0, NOW)] == server.newest(20, 0)


def test_looking_at_everything_is_refused_and_names_what_would_help() -> None:
    server = Server({f"{n:032x}": [NOW - n * HOUR] for n in range(2_000)}, matching=lambda _: False)

    with pytest.raises(UnsupportedQuery, match="say since when"):
        server.walk(max_counted=500).newest(20, 0, NOW)


def test_many_traces_of_one_instant_are_found_and_too_many_refused() -> None:
    server = Server({f"{n:032x}": [NOW - HOUR] for n in range(300)})

    assert len(server.walk().newest(20, 0, NOW)) == 20

    server.traces |= {f"{n:032x}": [NOW - HOUR] for n in range(3_000)}
    with pytest.raises(UnsupportedQuery):
        server.walk().newest(20, 0, NOW)


def test_a_refusal_of_the_smallest_request_is_passed_on() -> None:
    server = Server({"a" * 32: [NOW]})
    server.most = 0

    with pytest.raises(FewerTraces):
        server.walk().newest(20, 0, NOW)


def test_since_a_time_to_come_there_is_nothing() -> None:
    assert Server({"a" * 32: [NOW]}).walk().newest(20, NOW + 2 * DAY, NOW) == []
