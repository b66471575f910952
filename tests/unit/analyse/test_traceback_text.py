"""Tracebacks as text are read back as the exceptions that they were written from."""

from __future__ import annotations

import traceback

import hypothesis.strategies as st
from hypothesis import given

from otel_mas.analyse.traceback_text import ExceptionInStack, Relation, StackFrame, exceptions_in, with_source

MESSAGES = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20)
KINDS = st.sampled_from([ValueError, RuntimeError, OSError])
CHAINS = st.lists(st.tuples(KINDS, MESSAGES, st.booleans()), min_size=1, max_size=4)


def raised(chain: list[tuple[type[Exception], str, bool]]) -> BaseException:
    """An exception raised from the one before it, or while that was handled."""
    *before, (kind, message, as_cause) = chain
    try:
        if not before:
            raise kind(message)
        try:
            raise raised(before)
        except Exception as error:
            if as_cause:
                raise kind(message) from error
            raise kind(message)  # noqa: B904 - the context is what is tested
    except Exception as error:
        return error


def written(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


@given(CHAINS)
def test_a_chain_is_read_back(chain: list[tuple[type[Exception], str, bool]]) -> None:
    found = exceptions_in(written(raised(chain)))

    assert [(one.type, one.message) for one in found] == [(kind.__name__, message) for kind, message, _ in chain]
    follows = [Relation.CAUSE if as_cause else Relation.CONTEXT for _, _, as_cause in chain[1:]]
    assert [one.relation for one in found] == [*follows, Relation.RAISED]


@given(st.lists(st.tuples(KINDS, MESSAGES), min_size=1, max_size=4))
def test_the_members_of_a_group_are_read_back(members: list[tuple[type[Exception], str]]) -> None:
    group = ExceptionGroup("many", [raised([(kind, message, False)]) for kind, message in members])  # type: ignore[misc]
    found = exceptions_in(written(group))

    assert found[0].type == "ExceptionGroup"
    assert [(one.type, one.message) for one in found[1:]] == [(kind.__name__, message) for kind, message in members]
    assert {one.relation for one in found[1:]} == {Relation.MEMBER}


def test_frames_have_the_source_lines_of_then() -> None:
    error = raised([(ValueError, "x", False)])
    (frame,) = exceptions_in(written(error))[0].frames
    assert (frame.file, frame.function, frame.source) == (__file__, "raised", "raise kind(message)")


def test_notes_and_lines_of_a_message_belong_to_it() -> None:
    error = raised([(ValueError, "one\ntwo", False)])
    error.add_note("a note")
    assert exceptions_in(written(error))[0].message == "one\ntwo\na note"


@given(st.text())
def test_any_text_is_read_as_something(text: str) -> None:
    exceptions_in(text)


def test_frames_get_the_lines_around_them_and_what_is_none_is_passed_over() -> None:
    frames = (StackFrame("a.py", 2, "f", "raise"), StackFrame("b.py", 9, "g", None))
    found = ExceptionInStack("ValueError", "", Relation.RAISED, frames)
    recorded = [{"file": "a.py", "line": 2, "first": 1, "text": "def f():\n    raise\n\n"}, {"file": "b.py"}, "x", None]

    (read,) = with_source([found], recorded)

    assert [frame.around for frame in read.frames] == [((1, "def f():"), (2, "    raise")), ()]
    assert with_source([found], "withheld") == with_source([found], None) == (found,)
