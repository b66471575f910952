"""Lines around the frames of an exception: the app's own, bounded, and never an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from otel_mas.record.source_lines import source_lines

APP = """
def first(depth):
    # before
    return second(depth)
    # after


def second(depth):
    if depth:
        return first(depth - 1)
    raise ValueError("deep")


def through_a_library(text):
    import json
    return json.loads(text)


def caused():
    try:
        second(0)
    except ValueError as error:
        raise RuntimeError("so") from error


def grouped():
    members = []
    for call in (caused, lambda: second(0)):
        try:
            call()
        except Exception as error:
            members.append(error)
    raise ExceptionGroup("both", members)


def wide():
    raise ValueError(1)  # {}
""".format("x" * 5_000)


@pytest.fixture
def app(tmp_path: Path) -> dict[str, Any]:
    """Functions of a file that lies where an app lies."""
    path = tmp_path / "app.py"
    path.write_text(APP)
    names: dict[str, Any] = {}
    exec(compile(APP, path, "exec"), names)
    return names


def failed(app: dict[str, Any], name: str, *arguments: Any) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of any kind
        app[name](*arguments)
    return caught.value


def test_the_innermost_frame_comes_first_with_three_lines_before_and_after(app: dict[str, Any]) -> None:
    raised, called, *_ = source_lines(failed(app, "first", 0))

    assert (Path(raised["file"]).name, raised["line"], raised["first"]) == ("app.py", 11, 8)
    assert raised["text"].split("\n")[:4] == APP.split("\n")[7:11]
    assert called["text"].split("\n")[called["line"] - called["first"]] == "    return second(depth)"


def test_frames_of_libraries_are_left_out_but_for_the_one_that_raised(app: dict[str, Any]) -> None:
    files = [Path(one["file"]).name for one in source_lines(failed(app, "through_a_library", "{"))]

    assert files[:2] == ["decoder.py", "app.py"]
    assert Path(json.__file__).name not in files


def test_causes_and_members_of_groups_have_theirs(app: dict[str, Any]) -> None:
    lines = {(Path(one["file"]).name, one["line"]) for one in source_lines(failed(app, "grouped"))}

    assert {("app.py", 11), ("app.py", 23), ("app.py", 33)} <= lines


def test_it_is_bounded_however_deep_and_wide(app: dict[str, Any]) -> None:
    error = failed(app, "first", 400)
    for _ in range(100):
        outer = ValueError()
        outer.__cause__ = error
        error = outer

    assert len(source_lines(failed(app, "first", 400))) <= 8
    assert len(source_lines(error)) <= 8
    assert max(map(len, source_lines(failed(app, "wide"))[0]["text"].split("\n"))) == 200


def test_where_there_is_no_source_there_is_none() -> None:
    names: dict[str, Any] = {}
    exec("def gone():\n    raise ValueError", names)

    assert not [one for one in source_lines(failed(names, "gone")) if one["file"] == "<string>"]
    assert source_lines(ValueError("never raised")) == []


def test_a_hostile_exception_raises_nothing() -> None:
    class Hostile(Exception):
        @property
        def __cause__(self) -> BaseException:  # type: ignore[override]
            raise SystemExit("not this one")

    with pytest.raises(Hostile) as caught:
        raise Hostile
    assert source_lines(caught.value) == []


def test_a_cycle_of_causes_ends() -> None:
    one, other = ValueError(), ValueError()
    one.__cause__, other.__cause__ = other, one

    assert source_lines(one) == []
