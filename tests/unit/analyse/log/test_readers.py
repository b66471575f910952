"""What is new to a reader of messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from otel_mas.analyse.log.readers import Readers

TURNS = st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=8)


def test_a_history_that_is_sent_again_is_known() -> None:
    readers = Readers()
    assert readers.read("model", ["system", "asked"]) == [0, 1]
    readers.write("model", "model#1", ["answered"])
    assert readers.read("model", ["system", "asked", "answered", "again"]) == [3]


def test_what_one_reader_knows_is_new_to_another() -> None:
    readers = Readers()
    readers.read("one", ["asked"])
    assert readers.read("two", ["asked"]) == [0]


def test_the_same_words_said_twice_are_new_twice() -> None:
    readers = Readers()
    readers.read("model", ["yes"])
    assert readers.read("model", ["yes", "go on", "yes"]) == [1, 2]
    assert readers.read("model", ["yes", "go on", "yes"]) == []


def test_known_words_are_new_once_more_when_somebody_else_writes_them() -> None:
    readers = Readers()
    readers.read("judge", ["draft"])
    readers.write("writer", "writer#2", ["draft"])
    assert readers.read("judge", ["draft"]) == [0]
    assert readers.read("judge", ["draft"]) == []


def test_the_last_writer_of_a_message_is_known_by_name() -> None:
    readers = Readers()
    assert readers.writer("a") is None
    readers.write("one", "one#1", ["a"])
    readers.write("two", "two#1", ["a"])
    assert readers.writer("a") == "two#1"


@given(TURNS)
def test_a_growing_history_shows_each_of_its_messages_once(turns: list[list[str]]) -> None:
    readers, history, shown = Readers(), list[str](), list[str]()
    for turn in turns:
        history += turn
        shown += [history[position] for position in readers.read("model", history)]
    assert sorted(shown) == sorted(history)
