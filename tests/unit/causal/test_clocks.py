"""Clock skew between machines is found, corrected by one offset for each clock, and said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_mas.causal import build
from otel_mas.model import Event, Link, Resource, Span, SpanBody, SpanKind, Trace

MS = 10**6
CLIENT, SERVER, INTERNAL = SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL
PRODUCER, CONSUMER = SpanKind.PRODUCER, SpanKind.CONSUMER


def at(host: str, span_id: str, start: int, end: int, parent: str | None = None, **more: Any) -> Span:
    """A span on a machine, its times in milliseconds."""
    causes = tuple(Link("t", cause, "trigger") for cause in more.pop("causes", ()))
    resource = Resource({"host.name": host})
    return Span(
        "t", span_id, parent, span_id, start * MS, end * MS, service=host, resource=resource, links=causes, **more
    )


def times(*spans: Span) -> tuple[dict[str, tuple[float, float]], tuple[str, ...]]:
    graph = build([Trace("t", spans)])
    return {span.span_id: (span.start_ns / MS, (span.end_ns or 0) / MS) for span in graph.spans}, graph.problems


CASES: dict[str, tuple[list[Span], dict[str, tuple[float, float]], str]] = {
    "a server within its client stays": (
        [at("a", "c", 0, 100, kind=CLIENT), at("b", "s", 10, 90, "c", kind=SERVER)],
        {},
        "",
    ),
    "a server before its client is put in the middle of it, as by Jaeger": (
        [at("a", "c", 1000, 1100, kind=CLIENT), at("b", "s", 0, 60, "c", kind=SERVER), at("b", "i", 10, 20, "s")],
        {"s": (1020, 1080), "i": (1030, 1040)},
        "The clock of b is 1.02 s behind that of a (1 span contradicts its cause): its 2 spans are moved.",
    ),
    "a server after its client, likewise": (
        [at("a", "c", 0, 100, kind=CLIENT), at("b", "s", 500, 560, "c", kind=SERVER)],
        {"s": (20, 80)},
        "The clock of b is 480 ms ahead of that of a (1 span contradicts its cause): its 1 span is moved.",
    ),
    "a server that goes on for a while after its client has its answer stays": (
        [at("a", "c", 0, 100, kind=CLIENT), at("b", "s", 10, 107, "c", kind=SERVER)],
        {},
        "",
    ),
    "a server that outlasts its client is moved no earlier than that one's start": (
        [at("a", "c", 100, 200, kind=CLIENT), at("b", "s", 0, 300, "c", kind=SERVER)],
        {"s": (100, 400)},
        "The clock of b is 100 ms behind that of a (1 span contradicts its cause): its 1 span is moved.",
    ),
    "all calls together leave one offset for a machine": (
        [
            at("a", "w", 0, 1000),
            at("a", "c1", 100, 200, "w", kind=CLIENT),
            at("b", "s1", 0, 90, "c1", kind=SERVER),
            at("a", "c2", 300, 400, "w", kind=CLIENT),
            at("b", "s2", 203, 233, "c2", kind=SERVER),
        ],
        {"s1": (105, 195), "s2": (308, 338)},
        "The clock of b is 105 ms behind that of a (2 spans contradict their causes): its 2 spans are moved.",
    ),
    "work that nobody waits for is not moved though it goes on after its parent": (
        [at("a", "p", 0, 100), at("b", "job", 50, 400, "p"), at("b", "late", 300, 350, "p")],
        {},
        "",
    ),
    "a message is read no earlier than it was written": (
        [at("a", "w", 100, 900), at("a", "send", 500, 510, "w"), at("b", "read", 480, 490, "w", causes=["send"])],
        {"read": (500, 510)},
        "The clock of b is 20 ms behind that of a (1 span contradicts its cause): its 1 span is moved.",
    ),
    "messages both ways leave what is in the middle": (
        [
            at("a", "w", 0, 900),
            at("a", "ask", 500, 510, "w"),
            at("b", "hear", 400, 410, "w", causes=["ask"]),
            at("b", "answer", 420, 425, "w"),
            at("a", "heard", 540, 550, "w", causes=["answer"]),
        ],
        {"hear": (510, 520), "answer": (530, 535)},
        "The clock of b is 110 ms behind that of a (1 span contradicts its cause): its 2 spans are moved.",
    ),
    "two machines behind a third have its offset where that explains them": (
        [
            at("a", "c", 1000, 1100, kind=CLIENT),
            at("b", "s", 0, 60, "c", kind=SERVER),
            at("d", "t", 10, 20, "s"),
        ],
        {"s": (1020, 1080), "t": (1030, 1040)},
        "The clock of d is 1.02 s behind that of a (as that of b): its 1 span is moved.",
    ),
    "what no offset explains is left and said": (
        [
            at("a", "w", 0, 900),
            at("b", "x", 100, 110, "w"),
            at("a", "y", 50, 60, "w", causes=["x"]),
            at("a", "z", 300, 310, "w"),
            at("b", "v", 200, 210, "w", causes=["z"]),
        ],
        {},
        "The clock of b and that of a differ by no single time (2 spans contradict their causes): both are left.",
    ),
    "spans of one machine have one clock": (
        [at("a", "p", 100, 200), at("a", "q", 50, 60, "p")],
        {},
        "1 span begins before its parent (q q): left in place.",
    ),
    "a consumer works after its producer has sent": (
        [at("a", "p", 0, 10, kind=PRODUCER), at("b", "q", 50, 60, "p", kind=CONSUMER)],
        {},
        "",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_table(case: str) -> None:
    spans, moved, said = CASES[case]
    found, problems = times(*spans)
    assert {one: place for one, place in found.items() if moved.get(one)} == moved
    kept = {span.span_id: (span.start_ns / MS, (span.end_ns or 0) / MS) for span in spans if span.span_id not in moved}
    assert {one: place for one, place in found.items() if one in kept} == kept
    assert (said in problems) if said else (problems == ())
    assert times(*spans[::-1]) == (found, problems)


def test_events_and_the_last_sign_of_life_move_with_their_span() -> None:
    body = SpanBody(events=(Event("exception", 30 * MS),))
    open_ = replace(at("b", "s", 0, 60, "c", _body=body), end_ns=None, seen_ns=50 * MS)
    graph = build([Trace("t", (at("a", "c", 100, 200), open_))])
    moved = graph.span("s")
    assert (moved.end_ns, moved.seen_ns, moved.events[0].time_ns) == (None, 150 * MS, 130 * MS)
    assert open_.events[0].time_ns == 30 * MS


def test_the_critical_path_runs_through_what_was_moved() -> None:
    spans = [
        at("a", "c", 1000, 1100, kind=CLIENT),
        at("b", "s", 0, 60, "c", kind=SERVER),
    ]
    path = build([Trace("t", tuple(spans))]).critical_path()
    assert [(step.span.span_id, step.duration_ns // MS) for step in path.sections if step.span] == [
        ("c", 20),
        ("s", 60),
        ("c", 20),
    ]


@given(skew=st.integers(-5000, 5000), calls=st.lists(st.tuples(st.integers(0, 90), st.integers(1, 90)), min_size=1))
def test_whatever_the_skew_every_call_begins_within_its_caller(skew: int, calls: list[tuple[int, int]]) -> None:
    spans = [at("a", "w", 0, 100_000)]
    for number, (after, took) in enumerate(calls):
        begin = 200 * number
        spans.append(at("a", f"c{number}", begin, begin + after + took + 5, "w", kind=CLIENT))
        server = begin + after + skew
        spans.append(at("b", f"s{number}", server, server + took, f"c{number}", kind=SERVER))
    found, _ = times(*spans)
    for number in range(len(calls)):
        (outer, outer_end), (inner, _) = found[f"c{number}"], found[f"s{number}"]
        assert outer <= inner <= outer_end


def test_a_trace_of_one_machine_is_not_copied(span: Callable[..., Span]) -> None:
    from otel_mas.causal.clocks import without_skew

    given_ = [Trace("t1", (span("a", 0, 9), span("b", 1, 2, "a")))]
    assert without_skew(given_) == (given_, [])
    assert without_skew(given_)[0][0] is given_[0]
