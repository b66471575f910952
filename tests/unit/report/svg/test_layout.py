"""Where everything goes."""

from __future__ import annotations

from itertools import combinations
from types import ModuleType

from hypothesis import example, given
from hypothesis import strategies as st

from otel_mas.causal import build
from otel_mas.model import Span, Trace
from otel_mas.report.svg import scene
from otel_mas.report.svg.layout import SIZE, WIDTH, Box, Layout, arrange
from otel_mas.report.svg.measure import width
from otel_mas.semconv import attributes as names

MS = 10**6


def laid_out(*traces: Trace) -> Layout:
    causal = build(traces)
    return arrange(scene(causal, causal.critical_path()), 40.0)


def label(box: Box) -> tuple[float, float, float, float]:
    """Left, right, top, bottom of what is written above a bar."""
    wide = width(f"{box.label} {box.took}".strip(), SIZE)
    left = box.right - wide if box.flipped else box.x + box.inset
    return left, left + wide, box.y, box.y + 13


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]


def check(found: Layout) -> None:
    boxes = list(found.boxes.values())
    labels = [label(box) for box in boxes if box.labelled]
    assert not any(overlap(one, other) for one, other in combinations(labels, 2))
    bars = [(box.x, box.right, box.bar_top, box.bar_top + box.bar_height) for box in boxes if not box.inner]
    assert not any(overlap(one, other) for one, other in combinations(bars, 2) if one[1] - one[0] > 2)
    assert all(found.top <= box.y and box.y + box.height <= found.bottom for box in boxes)


def test_no_two_labels_touch(team: ModuleType) -> None:
    check(laid_out(*team.research_traces()))


TASK = st.tuples(st.integers(0, 2_000), st.integers(0, 1_500), st.sampled_from("abc"), st.integers(0, 6))


@given(st.lists(TASK, min_size=1, max_size=25))
@example(  # the label inside of one enclosing bar reaches beyond it, up to the next one
    [
        (0, 0, "a", 0),
        (0, 0, "a", 0),
        (330, 0, "a", 0),
        (180, 23, "a", 0),
        (0, 0, "a", 3),
        (0, 1443, "a", 0),
        (23, 0, "a", 4),
    ]
)
def test_no_two_labels_touch_whatever_runs_when(tasks: list[tuple[int, int, str, int]]) -> None:
    spans: dict[str, Span] = {}
    for number, (start, took, name, above) in enumerate(tasks, start=1):
        parent = spans.get(f"{above:016x}")
        if parent is not None:  # only what lies inside its parent can be drawn inside it
            start = min(start, parent.duration_ns // MS) + parent.start_ns // MS
            took = min(took, (parent.end_ns or 0) // MS - start)
        span_id = f"{number:016x}"
        spans[span_id] = Span(
            trace_id="a" * 32,
            span_id=span_id,
            parent_span_id=None if parent is None else parent.span_id,
            name=name,
            start_ns=start * MS,
            end_ns=(start + took) * MS,
            columns={names.MAS_TASK_ID: str(number), names.MAS_TASK_NAME: name * 9},
        )
    check(laid_out(Trace("a" * 32, tuple(sorted(spans.values(), key=lambda span: span.start_ns)))))


def test_an_agents_bar_encloses_those_of_its_tasks(team: ModuleType) -> None:
    found = laid_out(*team.research_traces())
    outer = next(box for box in found.boxes.values() if box.inner)
    assert len(outer.inner) == 4
    for inner in outer.inner:
        assert outer.x <= inner.x
        assert inner.right <= outer.right + 2
        assert outer.y < inner.y
        assert inner.y + inner.height <= outer.y + outer.height


def test_labels_do_not_run_into_a_stretch_that_is_not_to_scale(team: ModuleType) -> None:
    found = laid_out(*team.research_traces())
    (gap,) = found.scale.idle
    for box in found.boxes.values():
        left, right, _, _ = label(box)
        assert right <= gap.left + 1 or left >= gap.right - 1


def test_everything_stays_in_the_picture(team: ModuleType) -> None:
    found = laid_out(*team.research_traces())
    assert all(found.left <= box.x and max(box.right, label(box)[1]) <= WIDTH for box in found.boxes.values())


def test_where_a_name_has_no_room_its_number_will_do() -> None:
    """Two runs, far apart in time, of a task with a long name; the lane says the name."""
    traces = []
    for turn in (1, 2):
        start = turn * 3_600_000 * MS
        traces.append(
            Trace(
                f"{turn:032x}",
                (
                    Span(
                        trace_id=f"{turn:032x}",
                        span_id=f"{turn:016x}",
                        parent_span_id=None,
                        name="task",
                        start_ns=start,
                        end_ns=start + MS,
                        columns={names.MAS_TASK_ID: str(turn), names.MAS_TASK_NAME: "a rather long name"},
                    ),
                ),
            )
        )
    found = laid_out(*traces)
    assert [lane.name for lane in found.lanes] == ["a rather long name"]
    assert {box.label for box in found.boxes.values()} <= {"#1", "#2", "a rather long name#1", "a rather long name#2"}
    check(found)


def test_crowds_are_drawn_low_and_only_what_is_wide_has_a_label() -> None:
    spans = [
        Span(
            trace_id="a" * 32,
            span_id=f"{number:016x}",
            parent_span_id=None,
            name="task",
            start_ns=number * MS,
            end_ns=number * MS + (500 * MS if number == 1 else MS),
            columns={names.MAS_TASK_ID: str(number), names.MAS_TASK_NAME: f"lane {number % 3}"},
        )
        for number in range(1, 200)
    ]
    found = laid_out(Trace("a" * 32, tuple(spans)))
    assert [box.label for box in found.boxes.values() if box.labelled] == ["lane 1#1"]
    assert found.bottom < 150
    check(found)
