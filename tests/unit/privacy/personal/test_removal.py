"""What becomes of a value: rules by path, finders, the user's function, placeholders and counts."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from otel_mas.config.personal import KINDS
from otel_mas.privacy.personal.removal import REMOVED, PersonalData

MAIL = "bob@example.com"


def removal(*kinds: str, key: bytes = b"k" * 32, **rules: Any) -> PersonalData:
    made = PersonalData(kinds or tuple(KINDS), regions=["US"], **rules)
    made.key = key
    return made


def test_a_placeholder_has_the_kind_and_recognises_the_same_address() -> None:
    one = removal()
    first, second = one.value("a", f"{MAIL} and BOB@example.com").split(" and ")
    assert first == second
    assert first.startswith("[email:")
    assert one.value("b", {"x": ["bea@example.com"]})["x"][0] != first
    assert removal().value("c", MAIL) == first
    assert removal(key=b"o" * 32).value("c", MAIL) != first
    assert removal(key=b"").value("c", MAIL) == "[email]"


def test_each_removal_is_counted_by_its_kind() -> None:
    one = removal(remove=["secret"])
    one.value("a", f"{MAIL}, {MAIL}, 203.0.113.9")
    one.value("secret", "x")
    assert one.drain_counts() == {"email": 2, "ip": 1, "path": 1}
    assert one.drain_counts() == {}


def test_values_are_searched_at_any_depth_and_keep_their_types() -> None:
    value = {"a": [{"b": (MAIL, 1, None, True, 2.5)}], MAIL: b"to bob@example.com", "n": 4111111111111111, "t": 17}
    clean = removal().value("x", value)
    assert MAIL not in repr(clean)
    assert type(clean["a"][0]["b"]) is tuple
    assert clean["a"][0]["b"][1:] == (1, None, True, 2.5)
    assert clean["n"].startswith("[card:")
    assert clean["t"] == 17
    assert all(not isinstance(item, bytes) or item.startswith(b"to [email:") for item in clean.values())


def test_what_holds_nothing_is_the_same_object() -> None:
    value = {"a": ["text", {"b": (1, 2)}], "c": b"\xff"}
    assert removal().value("x", value) is value


def test_json_inside_a_text_is_read_as_its_value() -> None:
    clean = removal().value("x", '{"to":"bob\\u0040example.com","n":1}')
    assert orjson.loads(clean)["to"].startswith("[email:")
    untouched = '{"to": "nobody",  "n":1}'
    assert removal().value("x", untouched) is untouched


@pytest.mark.parametrize("path", ["args.customer", "args", "**.mail", "args.*.mail", "tool:send.customer.mail"])
def test_a_path_is_removed_or_kept(path: str) -> None:
    value = {"customer": [{"mail": MAIL, "age": 7}]}
    assert MAIL in repr(removal(keep=[path]).value("args", value, tool="send"))
    assert REMOVED in repr(removal("ip", remove=[path]).value("args", value, tool="send"))
    assert MAIL not in repr(removal("ip", remove=[path]).value("args", value, tool="send"))


def test_a_tools_arguments_have_its_path_in_messages_too() -> None:
    part = {"type": "tool_call", "name": "send", "arguments": {"body": "hello", "to": "x"}}
    clean = removal("ip", remove=["tool:send.body"]).value("message", {"role": "assistant", "parts": [part]})
    assert clean["parts"][0]["arguments"] == {"body": REMOVED, "to": "x"}
    other = removal("ip", remove=["tool:other.body"]).value("message", {"parts": [part]})
    assert other["parts"][0] is part


def test_the_function_gets_path_and_text_after_the_finders() -> None:
    seen: list[tuple[str, str]] = []

    def function(path: str, text: str) -> str | None:
        seen.append((path, text))
        return None if "gone" in text else text.replace("Bob", "[name]")

    one = removal("email", function=function)
    assert one.value("a", {"b": f"Bob {MAIL}", "c": "gone"}) == {
        "b": f"[name] {removal().value('', MAIL)}",
        "c": REMOVED,
    }
    assert seen[0][0] == "a.b"
    assert MAIL not in seen[0][1]
    assert one.drain_counts() == {"email": 1, "function": 2}


def test_the_function_sees_no_names_and_no_structure_of_messages() -> None:
    one = removal(function=lambda path, text: None)
    assert one.structure("gen_ai.agent.name", f"writer {MAIL}").startswith("writer [email:")
    message = {"role": "user", "parts": [{"type": "text", "content": "hello"}]}
    assert one.value("message", message) == {"role": "user", "parts": [{"type": "text", "content": REMOVED}]}


@pytest.mark.parametrize("error", [ValueError("bob"), SystemExit(1), RecursionError()])
def test_where_the_function_fails_the_text_is_removed(error: BaseException) -> None:
    def function(path: str, text: str) -> str:
        raise error

    one = removal(function=function)
    assert one.value("a", "something") == "[removed: the function failed]"
    assert one.drain_counts() == {"function-error": 1}


def test_what_is_no_text_from_the_function_is_a_failure() -> None:
    assert removal(function=lambda path, text: 7).value("a", "something") == "[removed: the function failed]"


TEXTS = st.text(st.sampled_from("ab1 2@.+-()com:DE89,"), max_size=60)
PIECES = st.sampled_from([MAIL, "+1 212 555 0187", "4111 1111 1111 1111", "203.0.113.9", "123-45-6789", "ssn ", "tel "])


@given(st.lists(st.one_of(TEXTS, PIECES), max_size=8))
@settings(max_examples=2 * settings().max_examples)
def test_removing_twice_changes_nothing(pieces: list[str]) -> None:
    one = removal()
    once = one.value("x", " ".join(pieces))
    one.drain_counts()
    assert one.value("x", once) == once
    assert one.drain_counts() == {}
