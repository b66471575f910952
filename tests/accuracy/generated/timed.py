"""Runs whose times matter, given as trace records: queues, open runs, circles of waiting, budgets of seconds.

Times are those of a simulated queue or clock, so that no test waits, and a busy machine changes nothing.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from random import Random
from typing import Any

import otel_mas
from tests.accuracy.generated.family import Family, Setting
from tests.accuracy.generated.models import BUDGET
from tests.accuracy.generated.parts import roles, sentences

_SECOND = 10**9
_MS = 10**6


class _Log:
    """The records of a run, which began so many seconds ago."""

    def __init__(self, setting: Setting, ago_s: float) -> None:
        self._setting = setting
        self._start_ns = time.time_ns() - int(ago_s * _SECOND)
        self._records: list[otel_mas.TraceRecord] = []

    def add(self, kind: str, at_s: float, took_s: float | None, inside: str | None = None, **more: Any) -> str:
        """Add a record; one without an end is open. Its id is given back."""
        identity = f"s{len(self._records)}"
        self._records.append(
            otel_mas.TraceRecord(
                trace_id=self._setting.thread,
                span_id=identity,
                parent_span_id=inside,
                conversation_id=self._setting.thread,
                event_type=kind,
                timestamp=self._start_ns + int(at_s * _SECOND),
                duration_ns=0 if took_s is None else int(took_s * _SECOND),
                is_open=took_s is None,
                **more,
            )
        )
        return identity

    def write(self) -> None:
        with self._setting.records.open("ab") as file:
            file.writelines(record.to_json() + b"\n" for record in self._records)


# -- contention --------------------------------------------------------------------------------------------------------


def _served(random: Random, starts: Sequence[float], slots: int) -> list[float]:
    """Durations of calls in a queue with so many slots, each served for about as long, in order of arrival."""
    free = [0.0] * slots
    took = []
    for start in sorted(starts):
        begins = max(start, heapq.heappop(free))
        ends = begins + random.uniform(0.9, 1.1) * 0.2
        heapq.heappush(free, ends)
        took.append(ends - start)
    return took


def _burst(setting: Setting) -> None:
    """Calls that begin together, and wait for one or two slots; or that all have a slot of their own."""
    random = setting.random
    slots = random.randrange(1, 3)
    number = random.randrange(8 * slots, 12 * slots)
    starts = sorted(random.uniform(0, 0.01) for _ in range(number))
    if setting.holds:
        took = _served(random, starts, slots)
    elif random.random() < 0.5:
        took = _served(random, starts, number)
    else:
        took = [random.lognormvariate(-1.5, 0.6) for _ in starts]  # each of its own, some of them long
    _calls(setting, starts, took)


def _waves(setting: Setting) -> None:
    """Calls alone and in waves, of which those in waves wait for a slot; or for nothing, and take as long as alone."""
    random = setting.random
    alone = [10.0 * number for number in range(random.randrange(5, 9))]
    waves = [200.0 + 10 * (number // 5) + random.uniform(0, 0.02) for number in range(5 * random.randrange(3, 5))]
    starts = sorted([*alone, *waves])
    took = _served(random, starts, 1 if setting.holds else len(starts))
    _calls(setting, starts, took)


def _calls(setting: Setting, starts: Sequence[float], took: Sequence[float]) -> None:
    random, log = setting.random, _Log(setting, 5000)
    root = log.add("WORKFLOW", 0, 1000, name="office")
    who = roles(random, 1)[0]
    task = log.add("AGENT_TASK", 0, 999, root, agent_name=who)
    model = random.random() < 0.5
    for at, lasts in zip(starts, took, strict=True):
        more: dict[str, Any] = {"token_cost": {"prompt": random.randrange(400, 600)}} if model else {}
        kind, name = ("LLM_CALL", "chat gpt-4o") if model else ("TOOL_CALL", "execute_tool archive")
        payload = {"input": sentences(random), "output": sentences(random)} if model else {"result": sentences(random)}
        log.add(kind, 1 + at, lasts, task, agent_name=who, name=name, payload=payload, **more)
    log.write()


# -- open runs ---------------------------------------------------------------------------------------------------------


def _stalled(setting: Setting) -> None:
    """Open for 11 minutes to two hours without a sign of life; or for 10 seconds to 7 minutes, or busy, or over."""
    random = setting.random
    how = "quiet" if setting.holds else random.choice(("early", "busy", "over"))
    quiet = random.uniform(10, 420) if how in ("early", "busy") else random.uniform(660, 7200)
    before = random.uniform(900, 5000)
    log = _Log(setting, before + quiet)
    open_ends = None if how != "over" else before
    root = log.add("WORKFLOW", 0, open_ends, name="office")
    first, second = roles(random, 2)
    log.add("AGENT_TASK", 0.1, before / 2, root, agent_name=first)
    task = log.add("AGENT_TASK", before / 2 + 0.2, None if open_ends is None else 1, root, agent_name=second)
    if how == "busy":
        for number in range(5):
            log.add("TOOL_CALL", before - 50 + 10 * number, 5, task, agent_name=second, name="search")
    kind, name = random.choice((("LLM_CALL", "chat gpt-4o"), ("TOOL_CALL", "execute_tool search")))
    log.add(kind, before - 0.1, None if open_ends is None else 0.05, task, agent_name=second, name=name)
    log.write()


# -- circles of waiting ------------------------------------------------------------------------------------------------


def _circle(setting: Setting) -> None:
    """Two to four agents wait for each other for 11 to 80 minutes; or for up to 7, or one has heard, or works."""
    random = setting.random
    how = "waits" if setting.holds else random.choice(("early", "heard", "at work"))
    quiet = random.uniform(10, 420) if how == "early" else random.uniform(660, 4800)
    agents = roles(random, random.randrange(2, 5))
    last_s = len(agents) + 0.5
    log = _Log(setting, last_s + quiet)
    root = log.add("WORKFLOW", 0, None, name="market")
    tasks = {
        name: log.add("AGENT_TASK", 0.1 * number, None, root, agent_name=name) for number, name in enumerate(agents)
    }
    for number, name in enumerate(agents):
        whom = agents[(number + 1) % len(agents)]
        sent = {"mas.message.peer": whom, "mas.message.id": f"{setting.thread} {number}"}
        log.add(
            "SEND", 1 + number, 0, tasks[name], agent_name=name, payload={"output": sentences(random)}, attributes=sent
        )
    last = agents[-1]
    if how == "heard":
        log.add("RECEIVE", last_s, 0, tasks[last], agent_name=last, attributes={"mas.message.peer": agents[0]})
    if how == "at work":
        log.add("LLM_CALL", last_s, None, tasks[last], agent_name=last, name="chat gpt-4o")
    log.write()


# -- budgets -----------------------------------------------------------------------------------------------------------


def _seconds(setting: Setting) -> None:
    """31 to 40 seconds; or 10 to 29, or longer with a pause in it for a person, in two traces."""
    random = setting.random
    took = random.uniform(31, 40) if setting.holds else random.uniform(10, 29)
    log = _Log(setting, 100)
    root = log.add("WORKFLOW", 0, took, name="office")
    for number, name in enumerate(roles(random, 3)):
        log.add("AGENT_TASK", number * took / 3, took / 3 - 0.01, root, agent_name=name)
    log.write()


FAMILIES = (
    Family(
        "resource-contention",
        "calls wait for one or two slots of a queue",
        "a slot for each, or durations of their own",
        (_burst, _waves),
    ),
    Family(
        "stalled-run",
        "open without a sign of life for 11 minutes to two hours",
        "for up to 7 minutes, at work, or over",
        (_stalled,),
    ),
    Family(
        "deadlock",
        "two to four agents wait for each other for 11 to 80 minutes, where 10 are too long",
        "for up to 7, or one has heard, or is at work",
        (_circle,),
        thresholds={"deadlock_after_s": 600.0},
        also=frozenset({"stalled-run"}),  # who is at work has shown no sign of life for as long
    ),
    Family("budget-overrun", "31 to 40 seconds", "10 to 29 seconds", (_seconds,), thresholds=BUDGET),
)

__all__ = ["FAMILIES"]
