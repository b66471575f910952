"""Amounts spent within budgets, over all processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from otel_mas.store.spending import Counted, Spending, SpendingKey, Spent

RUN, USER = SpendingKey("run", "aa"), SpendingKey("user", "u1@2026-11-30")
DAY_NS = 86_400 * 10**9

_ADD = """
import sys
from pathlib import Path
from otel_mas.store.spending import Spending, SpendingKey, Spent
spending = Spending(Path(sys.argv[1]), timeout_s=60.0)
for _ in range(50):
    spending.add({SpendingKey("run", "aa"): (Spent(0.25, 2, 1), None)}, 7)
"""


def test_amounts_add_up_by_key_and_keep_the_first_time(tmp_path: Path) -> None:
    spending = Spending(tmp_path / "runs.db")
    spending.add(dict.fromkeys((RUN, USER), (Spent(0.5, 10, 1, 0, 0.25), None)), 200)
    spending.add({RUN: (Spent(0.25, 5, 2, 1, 0.5), None)}, 100)
    assert spending.read([RUN, USER, SpendingKey("agent", "aa/x")]) == {
        RUN: Counted(Spent(0.75, 15, 3, 1, 0.75), 100),
        USER: Counted(Spent(0.5, 10, 1, 0, 0.25), 200),
    }


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    mine = Spending(path, timeout_s=60.0)
    others = [subprocess.Popen([sys.executable, "-c", _ADD, str(path)]) for _ in range(2)]
    for _ in range(50):
        mine.add({RUN: (Spent(0.25, 2, 1), None)}, 9)
    assert [one.wait(60) for one in others] == [0, 0]
    assert mine.read([RUN]) == {RUN: Counted(Spent(37.5, 300, 150), 7)}


def test_what_has_expired_is_forgotten_when_the_store_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    now = 10 * DAY_NS
    spending = Spending(path, clock=lambda: now)
    spending.add({RUN: (Spent(calls=1), now + DAY_NS), USER: (Spent(calls=1), None)}, now)
    spending.close()
    assert Spending(path, clock=lambda: now + DAY_NS).read([RUN, USER]).keys() == {RUN, USER}
    assert Spending(path, clock=lambda: now + 2 * DAY_NS).read([RUN, USER]).keys() == {USER}
