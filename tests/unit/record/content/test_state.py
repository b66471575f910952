"""What was changed in a state: taken down within bounds, by digest, each value stored once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import otel_mas
from otel_mas.record import recorder
from otel_mas.record.content.state import Unread, bounded_copy
from otel_mas.semconv import attributes as names


def nothing(_: Any) -> None:
    return None


class Opaque:
    pass


def test_a_text_is_kept_by_reference_and_a_list_copied() -> None:
    text, items = "x" * 1000, [1, {"a": [2]}]
    assert bounded_copy(text, nothing)[0] is text
    copied, _ = bounded_copy(items, nothing)
    items[1]["a"].append(3)  # type: ignore[index]
    assert copied == [1, {"a": [2]}]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * 5_000_000, "size:5000000"),
        (list(range(100_000)), "size:100000"),
        ({"all": list(range(100_000))}, "size:1"),
        (Opaque(), "opaque"),
        ({"frame": Opaque()}, "opaque"),
    ],
)
def test_large_and_opaque_values_have_no_digest(value: Any, why: str) -> None:
    taken, size = bounded_copy(value, nothing)
    assert isinstance(taken, Unread)
    assert (taken, size) == (why, 0)


def test_a_set_is_the_same_whatever_its_order() -> None:
    assert bounded_copy({"b", "a", "c"}, nothing)[0] == ["a", "b", "c"]


def record(*changes: dict[str, Any]) -> None:
    for changed in changes:
        span = recorder().start_span("task n", {names.MAS_RECORD_KIND: "AGENT_TASK"})
        recorder().state(span, changed)
        span.end()
    assert otel_mas.flush(30)


def spans(store: Path) -> list[Any]:
    with otel_mas.open(store) as source:
        return [span for summary in source.traces(limit=100) for span in source.trace(summary.trace_id).spans]


def test_equal_values_have_one_digest_whatever_names_they_have_and_are_stored_once(recorded: Path) -> None:
    record({"report": "done", "turns": 1}, {"answer": "done"}, {"answer": "not done"})
    digests = {}
    for span in spans(recorded):
        written = span.get(names.MAS_STATE_CHANGED)
        digests[written] = dict(zip(written, span.get(names.MAS_STATE_DIGESTS), strict=True))
    first, second = digests["report", "turns"], [found for name, found in digests.items() if name == ("answer",)]
    assert len(digests) == 2
    assert first["report"] != first["turns"]
    with otel_mas.open(recorded) as source:
        kept = source._port.messages([*first.values(), *(found["answer"] for found in second)])
    assert kept[first["report"]].body == {"value": "done"}
    assert kept[first["turns"]].body == {"value": 1}


def test_later_changes_of_a_value_do_not_reach_its_copy(recorded: Path) -> None:
    notes = ["one"]
    span = recorder().start_span("task n", {})
    recorder().state(span, {"notes": notes})
    notes.append("two")
    span.end()
    record({"notes": ["one"]})
    assert len({span.get(names.MAS_STATE_DIGESTS) for span in spans(recorded)}) == 1


def test_without_content_the_digest_is_kept_and_the_value_is_not(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    otel_mas.instrument(store=str(path), content="none")
    try:
        record({"note": "planted-in-the-state"})
        (span,) = spans(path)
        assert len(span.get(names.MAS_STATE_DIGESTS)[0]) == 32
    finally:
        otel_mas.shutdown(30)
    for file in tmp_path.iterdir():
        assert b"planted-in-the-state" not in file.read_bytes()


def test_a_value_under_a_secret_name_is_not_stored(recorded: Path) -> None:
    record({"api_key": "tell-nobody-1234"})
    for file in recorded.parent.iterdir():
        assert b"tell-nobody-1234" not in file.read_bytes()


def test_bytes_are_recorded_by_type_and_size_and_never_stored(recorded: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + b"planted-in-a-picture" * 100
    record({"picture": picture})
    (span,) = spans(recorded)
    with otel_mas.open(recorded) as source:
        (kept,) = source._port.messages(list(span.get(names.MAS_STATE_DIGESTS))).values()
    assert kept.body is not None
    assert (kept.body["value"]["mime_type"], kept.body["value"]["size"]) == ("image/png", len(picture))
    for file in recorded.parent.iterdir():
        assert b"planted-in-a-picture" not in file.read_bytes()
