"""What the process remembers is bounded, and gives way oldest first."""

from __future__ import annotations

import os
import signal
import threading

from otel_mas.record.content.recent import RecentlyUsed


def test_the_least_recently_used_entry_goes_first() -> None:
    entries: RecentlyUsed[str, int] = RecentlyUsed(2)
    entries.put("a", 1)
    entries.put("b", 2)
    assert entries.get("a") == 1
    entries.put("c", 3)
    assert entries.get("b") is None
    assert (entries.get("a"), entries.get("c"), len(entries)) == (1, 3, 2)


def test_setdefault_keeps_an_entry_and_counts_as_use() -> None:
    entries: RecentlyUsed[str, int] = RecentlyUsed(2)
    assert [entries.setdefault(key, number) for number, key in enumerate("abac")] == [0, 1, 0, 3]
    assert (entries.get("a"), entries.get("b")) == (0, None)


def test_the_heaviest_of_all_may_be_all_that_is_left() -> None:
    entries: RecentlyUsed[str, int] = RecentlyUsed(10)
    for key, weight in (("a", 3), ("b", 4), ("c", 5)):
        entries.put(key, weight)
    entries.shrink(int, 9)
    assert (entries.get("a"), entries.get("b"), entries.get("c")) == (None, 4, 5)
    entries.shrink(int, 4)
    assert len(entries) == 0


def test_a_child_that_is_forked_while_a_thread_is_using_it_can_use_it() -> None:
    entries: RecentlyUsed[str, int] = RecentlyUsed(2)
    with entries._lock:
        child = os.fork()
        if child == 0:
            signal.alarm(5)  # waiting for ever is what must not be
            entries.put("a", 1)
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_a_finalizer_of_what_is_forgotten_may_use_it_again() -> None:
    known: RecentlyUsed[str, object] = RecentlyUsed(1)

    class Value:
        def __del__(self) -> None:
            known.put("of the finalizer", 1)

    def forget() -> None:
        known.put("a", Value())
        known.put("b", 2)

    thread = threading.Thread(target=forget, daemon=True)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    assert known.get("of the finalizer") == 1
