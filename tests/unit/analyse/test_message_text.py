"""Messages and other content as text."""

from __future__ import annotations

from otel_mas.model.message_text import lines_of, text_of, withheld, written


def test_every_part_of_a_message_is_written() -> None:
    parts = [
        {"type": "text", "content": "Look it up."},
        {"type": "tool_call", "name": "search", "arguments": {"query": "tides"}},
        {"type": "tool_call_response", "response": "high at noon"},
        {"type": "reasoning", "content": "it may help"},
        {"type": "uri", "modality": "image", "uri": "s3://x"},
        "bare",
    ]
    assert written({"role": "assistant", "parts": parts}).splitlines() == [
        "Look it up.",
        'calls search({"query":"tides"})',
        "high at noon",
        "[reasoning] it may help",
        '[uri] {"modality":"image","uri":"s3://x"}',
        "bare",
    ]


def test_a_body_of_another_shape_does_not_break_it() -> None:
    assert written({"content": ["odd"]}) == '["odd"]'
    assert written({}) == ""


def test_fields_and_items_are_lines() -> None:
    assert lines_of([{"ask": "Publish?", "by": ["noon", 1]}]) == 'ask: Publish?\nby: ["noon",1]'
    assert lines_of([{"id": 1}, "two"]) == '{"id":1}\ntwo'
    assert (lines_of("one"), lines_of(None), text_of(2.5)) == ("one", "", "2.5")


def test_what_was_withheld_says_why_and_nothing_else_does() -> None:
    assert withheld({"$withheld": "it took too long"}) == "it took too long"
    assert withheld({"$withheld": "x", "more": 1}) is None
    assert withheld("$withheld") is None
