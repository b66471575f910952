"""Messages by digest: equal content, equal digest, whatever happens to the objects."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from otel_mas.record.content.digest import Digester
from otel_mas.record.content.messages import MessageDigests

KEY = (1, 2)


class Said:
    def __init__(self, content: Any) -> None:
        self.content = content


class Strong:
    """Cannot be weakly referenced."""

    __slots__ = ("content",)

    def __init__(self, content: Any) -> None:
        self.content = content


class Adapter:
    def __init__(self) -> None:
        self.reads = 0

    def fingerprint(self, message: Any, /) -> object | None:
        return (message.content,) if isinstance(message.content, str) else None

    def read(self, message: Any, /) -> tuple[str, list[dict[str, Any]]]:
        self.reads += 1
        content = message.content
        texts = [content] if isinstance(content, str) else content
        return "user", [{"type": "text", "content": text} for text in texts]


class Announced:
    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.full = False

    def __call__(self, key: tuple[int, int], digest: str, message: dict[str, Any]) -> bool:
        if not self.full:
            self.messages.append((digest, message))
        return not self.full


@pytest.fixture
def announced() -> Announced:
    return Announced()


@pytest.fixture
def digests(announced: Announced) -> MessageDigests:
    return MessageDigests(Digester(lambda: bytes(32)), announced)


def test_a_known_message_is_neither_hashed_nor_announced_again(digests: MessageDigests, announced: Announced) -> None:
    adapter, history = Adapter(), [Said(f"turn {n}") for n in range(50)]
    first = digests.digests(KEY, history, adapter)
    assert digests.digests(KEY, history, adapter) == first
    assert len(set(first)) == 50
    assert adapter.reads == 50
    assert [digest for digest, _ in announced.messages] == list(first)


def test_a_growing_history_costs_only_what_is_new(digests: MessageDigests) -> None:
    adapter, history = Adapter(), [Said("a"), Said("b")]
    before = digests.digests(KEY, history, adapter)
    after = digests.digests(KEY, [*history, Said("c")], adapter)
    assert after[:2] == before
    assert adapter.reads == 3


def test_equal_content_in_another_object_is_the_same_message(digests: MessageDigests, announced: Announced) -> None:
    adapter = Adapter()
    one, other = Said("same"), Said("sa" + "me")
    assert digests.digests(KEY, [one], adapter) == digests.digests(KEY, [other], adapter)
    assert len(announced.messages) == 1


def test_a_changed_message_is_another_message(digests: MessageDigests) -> None:
    message, adapter = Said("before"), Adapter()
    before = digests.digests(KEY, [message], adapter)
    message.content = "after"
    assert digests.digests(KEY, [message], adapter) != before
    message.content = "before"
    assert digests.digests(KEY, [message], adapter) == before


def test_a_message_with_mutable_parts_is_hashed_each_time(digests: MessageDigests) -> None:
    message, adapter = Said(["a"]), Adapter()
    before = digests.digests(KEY, [message], adapter)
    message.content.append("b")
    assert digests.digests(KEY, [message], adapter) != before


def test_an_unhashable_fingerprint_only_costs_time(digests: MessageDigests) -> None:
    class Careless(Adapter):
        def fingerprint(self, message: Any, /) -> object | None:
            return message.content

    message, adapter = Said(["a"]), Careless()
    before = digests.digests(KEY, [message, Said("text")], adapter)
    message.content.append("b")
    after = digests.digests(KEY, [message, Said("text")], adapter)
    assert after[0] != before[0]
    assert after[1] == before[1]


def test_an_id_used_again_is_not_taken_for_the_dead_message(digests: MessageDigests) -> None:
    adapter = Adapter()
    for number in range(2000):
        message = Said(f"n{number % 7}")
        assert digests.digests(KEY, [message], adapter) == digests.digests(KEY, [Said(f"n{number % 7}")], adapter)
        del message
    gc.collect()
    assert not digests._known
    assert not digests._refs


def test_messages_that_cannot_be_weakly_referenced_are_not_kept(digests: MessageDigests) -> None:
    adapter, message = Adapter(), Strong("a")
    assert digests.digests(KEY, [message], adapter) == digests.digests(KEY, [message], adapter)
    assert adapter.reads == 2
    assert not digests._known


def test_content_without_room_is_offered_again(digests: MessageDigests, announced: Announced) -> None:
    message, adapter = Said("a"), Adapter()
    announced.full = True
    digests.digests(KEY, [message], adapter)
    announced.full = False
    digests.digests(KEY, [message], adapter)
    assert len(announced.messages) == 1


def test_forgotten_messages_are_announced_again(digests: MessageDigests, announced: Announced) -> None:
    message, adapter = Said("a"), Adapter()
    digests.digests(KEY, [message], adapter)
    digests.forget()
    digests.digests(KEY, [message], adapter)
    assert len(announced.messages) == 2


def test_known_messages_are_bounded(digests: MessageDigests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_mas.record.content.messages._MAX_KNOWN", 10)
    history = [Said(f"turn {n}") for n in range(35)]
    digests.digests(KEY, history, Adapter())
    assert max(len(digests._known), len(digests._refs), len(digests._announced)) <= 10


def test_the_newest_are_kept_when_there_is_no_room(digests: MessageDigests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otel_mas.record.content.messages._MAX_KNOWN", 10)
    adapter, history = Adapter(), [Said(f"turn {n}") for n in range(11)]
    digests.digests(KEY, history, adapter)
    digests.digests(KEY, history[5:], adapter)
    assert adapter.reads == 11


def test_the_key_decides_the_digest_and_is_asked_for_once() -> None:
    asked = []

    def key() -> bytes:
        asked.append(1)
        return bytes([7]) * 32

    digester = Digester(key)
    assert not asked
    first = digester.digest(b"x")
    assert digester.digest(b"x") == first != Digester(lambda: bytes(32)).digest(b"x")
    assert len(first) == 32
    assert asked == [1]
